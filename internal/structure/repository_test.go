package structure

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

const modulePath = "github.com/caddy-auth-broker/caddy-auth-broker"

// The repository's root, seen from this package.
var root = filepath.Join("..", "..")

// Folders that are not ours: the version control's own and what tools
// install or build.
var foreignFolders = map[string]bool{".git": true, "node_modules": true, "bin": true}

// textFiles returns the contents of the repository's text files by
// slash-separated path from its root.
func textFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && foreignFolders[entry.Name()]:
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		if utf8.Valid(content) {
			files[path] = string(content)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("reading the repository: %v", err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d files below %s: that is not the repository", len(files), root)
	}
	return files
}
