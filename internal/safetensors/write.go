package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Write writes file to w. Equal content gives equal bytes whatever the order
// of its tensors: they are written by descending width of dtype, then by
// name. A File that could not be read back is a *FormatError, before any byte
// is written.
func Write(w io.Writer, file *File) error {
	tensors := slices.Clone(file.Tensors)
	slices.SortStableFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(dtypeRank(b.DType), dtypeRank(a.DType)), cmp.Compare(a.Name, b.Name))
	})
	header, err := headerOf(file.Metadata, tensors)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("safetensors: write header: %w", err)
	}
	for _, t := range tensors {
		if _, err := w.Write(t.Data); err != nil {
			return fmt.Errorf("safetensors: write %s: %w", tensorPlace(t.Name), err)
		}
	}
	return nil
}

// WriteFile writes file to path. The content is written to a new file in the
// same folder, synced and renamed, so path holds its old or its new content,
// whole, at any time. The file has mode 0644 less the umask; a symbolic link
// at path is replaced.
func WriteFile(path string, file *File) (err error) {
	aside, err := createAside(path)
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	defer func() {
		if err != nil { // nothing is left behind
			err = errors.Join(err, ignoring(os.Remove(aside.Name()), os.ErrNotExist))
		}
	}()
	err = Write(aside, file)
	if err == nil {
		err = aside.Sync()
	}
	if err = errors.Join(err, aside.Close()); err != nil {
		return withPath(err, path)
	}
	if err := os.Rename(aside.Name(), path); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}

// createAside makes a new file beside path. os.CreateTemp would give it mode
// 0600, and the umask cannot be read without setting it.
func createAside(path string) (*os.File, error) {
	for {
		name := fmt.Sprintf("%s.%08x.tmp", path, rand.Uint32())
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
}

// syncDir makes a rename in the folder durable, where the system can.
func syncDir(path string) error {
	if runtime.GOOS == "windows" { // a folder cannot be synced there
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	// Some file systems refuse to sync a folder.
	err = ignoring(ignoring(dir.Sync(), syscall.EINVAL), errors.ErrUnsupported)
	return errors.Join(err, dir.Close())
}

// ignoring is err unless it is the harmless one.
func ignoring(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

// headerOf returns the header's length and its JSON, padded by spaces to a
// multiple of 8 bytes.
func headerOf(metadata map[string]string, tensors []Tensor) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, lengthSize))
	b.WriteByte('{')
	if metadata != nil {
		if err := writeMetadata(&b, metadata); err != nil {
			return nil, err
		}
	}
	seen := make(map[string]bool, len(tensors))
	offset := uint64(0)
	for i, t := range tensors {
		if err := t.check(); err != nil {
			return nil, err
		}
		place := tensorPlace(t.Name)
		switch {
		case t.Name == metadataKey:
			return nil, formatErrorf(place, "the name is reserved")
		case !utf8.ValidString(t.Name):
			return nil, formatErrorf(place, "the name is not UTF-8")
		case seen[t.Name]:
			return nil, formatErrorf(place, "occurs twice")
		}
		seen[t.Name] = true
		if i > 0 || metadata != nil {
			b.WriteByte(',')
		}
		end := offset + uint64(len(t.Data))
		writeString(&b, t.Name)
		fmt.Fprintf(&b, `:{"dtype":"%s","shape":[`, t.DType)
		for j, size := range t.Shape {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(size))
		}
		fmt.Fprintf(&b, `],"data_offsets":[%d,%d]}`, offset, end)
		offset = end
	}
	b.WriteByte('}')
	for b.Len()%lengthSize != 0 {
		b.WriteByte(' ')
	}
	n := b.Len() - lengthSize
	if n > maxHeader {
		return nil, formatErrorf("header", "%d bytes, want at most %d", n, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(n))
	return b.Bytes(), nil
}

func writeMetadata(b *bytes.Buffer, metadata map[string]string) error {
	writeString(b, metadataKey)
	b.WriteString(":{")
	for i, key := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[key]
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return formatErrorf(fmt.Sprintf("metadata %q", key), "not UTF-8")
		}
		if i > 0 {
			b.WriteByte(',')
		}
		writeString(b, key)
		b.WriteByte(':')
		writeString(b, value)
	}
	b.WriteByte('}')
	return nil
}

// writeString writes a JSON string as the reference implementation does;
// encoding/json would also escape < > & and two separators.
func writeString(b *bytes.Buffer, s string) {
	const short = "\b\f\n\r\t\"\\"
	b.WriteByte('"')
	done := 0
	for i := range len(s) {
		c := s[i]
		j := strings.IndexByte(short, c)
		if j < 0 && c >= ' ' {
			continue
		}
		b.WriteString(s[done:i])
		done = i + 1
		if j >= 0 {
			b.Write([]byte{'\\', `bfnrt"\`[j]})
		} else {
			fmt.Fprintf(b, `\u%04x`, c)
		}
	}
	b.WriteString(s[done:])
	b.WriteByte('"')
}
