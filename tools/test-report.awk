# Reads "go test -v" and prints what a reader needs: one closing line per
# package, the whole output of a package that failed, every skipped test,
# and a count. The verbose form is needed because the plain one does not
# mention skips.

/^=== (RUN|PAUSE|CONT|NAME)/ { next }
/^ *--- PASS/ { passed++; next }
/^ *--- SKIP/ { skipped++; print "SKIPPED " $3; block = block $0 "\n"; next }
/^ *--- FAIL/ { failures++ }

/^(ok  |\?   )\t/ { print; block = ""; next }
/^\t.*\tcoverage:/ { print; block = ""; next }
/^FAIL\t/ { printf "%s%s\n", block, $0; block = ""; next }
/^(PASS|FAIL)$/ { next }

{ block = block $0 "\n" }

END {
	# What follows the last closing line: a build that never got so far.
	printf "%s", block
	printf "%d passed, %d failed, %d skipped\n", passed, failures, skipped
}
