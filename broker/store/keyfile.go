package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// LoadOrCreateKey reads the sealing key from the file at path, and makes
// one of [KeySize] random bytes when there is no such file: mode 0600, in a
// directory that it makes with mode 0700 if need be. Processes that race to
// create the file all return the same key.
//
// A file of another length is an error, never replaced: what was sealed
// with it would be lost for good. So is, except on Windows, a file that
// group or others may read or write.
func LoadOrCreateKey(path string) ([]byte, error) {
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKey(path); err != nil {
			return nil, fmt.Errorf("creating sealing key %s: %w", path, err)
		}
		key, err = readKey(path) // that of the winner
	}
	if err != nil {
		return nil, fmt.Errorf("loading sealing key %s: %w", path, err)
	}
	return key, nil
}

func readKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	info, err := f.Stat() // of the open file: the path may change under us
	if err != nil {
		return nil, bare(err)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("its mode %04o lets other users at it; set 0600", perm)
	}
	key, err := io.ReadAll(io.LimitReader(f, KeySize+1))
	if err != nil {
		return nil, bare(err)
	}
	if len(key) != KeySize {
		return nil, fmt.Errorf("it is not %d bytes long; restore it, or remove it together with the database", KeySize)
	}
	return key, nil
}

// createKey makes the key file unless there is one. The file appears under
// its name by a hard link, which is atomic and replaces nothing: nobody can
// read half a key, and of two racing creators the second one loses.
func createKey(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(randomBytes(KeySize))
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name durable. A power cut that kept the database
// and lost the key would lose every record. Windows has no such call and
// needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// bare drops operation and path from a file error: the caller names both.
func bare(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
