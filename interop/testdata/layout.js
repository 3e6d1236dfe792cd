// Checks of how a page lies on the screen. Each returns a list of lines, one
// for each thing that is wrong.
var layout = (() => {
	const px = (n) => Math.round(n * 10) / 10

	const name = (e) => e.id ? "#" + e.id : e.tagName.toLowerCase() + " " + JSON.stringify((e.textContent || "").trim().slice(0, 40))

	const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length > 0

	// What takes a click or a key.
	const interactive = () => [...document.querySelectorAll(
		"a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")].filter(shown)

	// The area that takes the click, with a label and what it spreads over.
	const target = (e) => {
		const rects = [e, ...(e.labels || [])].flatMap((x) => [...x.getClientRects()])
		const line = e.closest("li, div")
		for (const x of [e, ...(e.labels || [])]) {
			const after = getComputedStyle(x, "::after")
			if (after.position === "absolute" && after.content !== "none" && line) rects.push(line.getBoundingClientRect())
		}
		const left = Math.min(...rects.map((r) => r.left)), top = Math.min(...rects.map((r) => r.top))
		return new DOMRect(left, top, Math.max(...rects.map((r) => r.right)) - left, Math.max(...rects.map((r) => r.bottom)) - top)
	}

	// Hidden from view on purpose, for screen readers: in a box of one pixel.
	const unseen = (e) => {
		for (let p = e; p; p = p.parentElement) if (getComputedStyle(p).position === "absolute" && p.offsetWidth <= 1 && p.offsetHeight <= 1) return true
		return false
	}

	const cut = () => [...document.body.querySelectorAll("*")].filter((e) => shown(e) && !unseen(e)).flatMap((e) => {
		const style = getComputedStyle(e)
		if (e instanceof SVGElement || !e.textContent.trim()) return []
		const x = /hidden|clip/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 1
		const y = /hidden|clip/.test(style.overflowY) && e.scrollHeight > e.clientHeight + 1
		return x || y ? [e] : []
	})

	// Whether a rectangle is in view as far as scrolled boxes go.
	const inView = (e, r) => {
		for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
			if (getComputedStyle(p).overflowY === "visible") continue
			const box = p.getBoundingClientRect()
			if (r.bottom > box.bottom || r.top < box.top || r.right > box.right || r.left < box.left) return false
		}
		return true
	}

	// Text of one element on top of another's.
	const overlapping = () => {
		const texts = []
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
		for (let n = walker.nextNode(); n; n = walker.nextNode()) {
			const e = n.parentElement
			if (!n.data.trim() || !shown(e) || unseen(e)) continue
			const range = document.createRange()
			range.selectNodeContents(n)
			for (const r of range.getClientRects()) if (inView(e, r)) texts.push([e, r])
		}
		const lines = []
		texts.sort(([, r], [, s]) => r.top - s.top)
		texts.forEach(([a, r], i) => {
			for (let k = i + 1; k < texts.length && texts[k][1].top < r.bottom; k++) {
				const [b, s] = texts[k]
				if (a === b) continue
				const w = Math.min(r.right, s.right) - Math.max(r.left, s.left)
				const h = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top)
				if (w > 2 && h > Math.min(r.height, s.height) / 2) lines.push(name(a) + ": under " + name(b))
			}
		})
		return lines
	}

	const sideways = () => {
		const page = document.scrollingElement
		if (page.scrollWidth <= innerWidth) return []
		const widest = [...document.body.querySelectorAll("*")].filter(shown)
			.filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map(name)
		return ["scrolls sideways, " + page.scrollWidth + " px of " + innerWidth + ": " + widest.slice(-3).join(", ")]
	}

	const small = () => interactive().flatMap((e) => {
		const r = target(e)
		return r.width < 23.9 || r.height < 23.9 ? [name(e) + ": target of " + px(r.width) + "×" + px(r.height)] : []
	})

	// Relative luminance and contrast (WCAG 2.2).
	const color = (text) => {
		const n = (text.match(/[\d.]+/g) || []).map(Number)
		return { rgb: n.slice(0, 3), alpha: n.length > 3 ? n[3] : 1 }
	}
	const luminance = (rgb) => {
		const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		return 0.2126 * r + 0.7152 * g + 0.0722 * b
	}
	const contrast = (a, b) => {
		const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p)
		return (x + 0.05) / (y + 0.05)
	}
	const ground = (e) => {
		for (let x = e.parentElement; x; x = x.parentElement) {
			const c = color(getComputedStyle(x).backgroundColor)
			if (c.alpha > 0.99) return c.rgb
		}
		return [255, 255, 255]
	}

	// An outline around the element; in a drawing, a stronger stroke of what
	// it holds.
	const strokes = (e) => [...e.querySelectorAll("rect, path")].map((x) => getComputedStyle(x)).map((style) => [style.stroke, parseFloat(style.strokeWidth)])

	const showsFocus = (e) => {
		const style = getComputedStyle(e)
		const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 &&
			contrast(color(style.outlineColor).rgb, ground(e)) >= 3
		const stroked = e instanceof SVGElement && strokes(e).some(([stroke, width]) =>
			width >= 2 && stroke !== "none" && contrast(color(stroke).rgb, ground(e)) >= 3)
		return e.matches(":focus-visible") && (outlined || stroked)
	}

	// Where an element is on the page, wherever that is scrolled to.
	const place = (e) => {
		const r = e.getBoundingClientRect()
		let x = scrollX, y = scrollY
		for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
			x += p.scrollLeft
			y += p.scrollTop
		}
		return { e, left: r.left + x, right: r.right + x, top: r.top + y }
	}

	let stops = [], found = []

	const stop = ({ target: e }) => {
		const now = place(e)
		const before = stops.at(-1)
		// Down, or to the right: in the next column the eye begins at the
		// top again.
		if (before && now.top < before.top - 8 && now.left < before.right - 8) found.push(name(e) + ": out of order, after " + name(before.e))
		if (!showsFocus(e)) found.push(name(e) + ": no visible focus")
		stops.push(now)
	}

	return {
		check: () => [...sideways(), ...cut().map((e) => name(e) + ": cut off"), ...small(), ...overlapping()],

		zoomed: () => [...sideways(), ...cut().map((e) => name(e) + ": cut off"), ...overlapping()].map((line) => line + " at 200 %"),

		// Watches the focus, from the top of the page; answers how often Tab
		// has to be pressed to get to the end.
		begin: () => {
			stops = []
			found = []
			const top = document.createElement("span")
			top.tabIndex = -1
			document.body.prepend(top)
			top.focus()
			top.remove() // Tab goes on from where it was
			scrollTo(0, 0)
			addEventListener("focusin", stop)
			return interactive().length
		},

		end: () => {
			removeEventListener("focusin", stop)
			const missed = interactive().filter((e) => !stops.some((s) => s.e === e)).map((e) => name(e) + ": not reached by Tab")
			return [...found, ...missed]
		},
	}
})()
