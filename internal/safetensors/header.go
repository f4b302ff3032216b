package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// entry is one tensor as the header describes it.
type entry struct {
	name       string
	dtype      string
	shape      []int
	begin, end uint64 // place of its bytes after the header
}

// parseHeader reads the JSON header and returns its tensors in the order of
// their bytes, which are checked to fill dataSize bytes without a gap.
//
// It reads token by token, since encoding/json would take any case of a field
// and the last of two equal names. What it holds grows with the header only.
func parseHeader(header []byte, dataSize uint64) (map[string]string, []entry, error) {
	if err := checkJSON(header); err != nil {
		return nil, nil, &FormatError{Place: "header", Err: err}
	}
	p := parser{json.NewDecoder(bytes.NewReader(header))}
	p.UseNumber()
	var metadata map[string]string
	var entries []entry
	err := p.object(func(name string) (err error) {
		if name == metadataKey {
			metadata, err = p.metadata()
			return err
		}
		e, err := p.entry(name)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, &FormatError{Place: fmt.Sprintf("header, byte %d", p.InputOffset()), Err: err}
	}

	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	if err := checkEntries(entries, dataSize); err != nil {
		return nil, nil, err
	}
	return metadata, entries, nil
}

// checkEntries says whether the sorted entries fill dataSize bytes, each with
// the bytes that its dtype and shape take.
func checkEntries(entries []entry, dataSize uint64) error {
	filled := uint64(0)
	for _, e := range entries {
		size, err := byteSize(e.dtype, e.shape)
		switch {
		case err != nil:
			return &FormatError{Place: tensorPlace(e.name), Err: err}
		case e.begin != filled || e.end < e.begin:
			return formatErrorf(tensorPlace(e.name), "data_offsets [%d, %d], want them to begin at %d", e.begin, e.end, filled)
		case e.end-e.begin != size:
			return formatErrorf(tensorPlace(e.name), "data_offsets [%d, %d], want %d bytes for shape %v of %s", e.begin, e.end, size, e.shape, e.dtype)
		}
		filled = e.end
	}
	if filled != dataSize {
		return formatErrorf("data", "%d bytes after the header, want %d", dataSize, filled)
	}
	return nil
}

// checkJSON says whether the header is UTF-8 and one JSON object without
// lone surrogates, which a Go string could not hold.
func checkJSON(header []byte) error {
	if i := invalidUTF8(header); i >= 0 {
		return fmt.Errorf("byte %d: not UTF-8", i)
	}
	var object struct{}
	err := json.Unmarshal(header, &object)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("byte %d: %w", syntax.Offset, err)
	}
	if err != nil || bytes.HasPrefix(bytes.TrimSpace(header), []byte("null")) {
		return errors.New("not a JSON object")
	}
	if i := loneSurrogate(header); i >= 0 {
		return fmt.Errorf("byte %d: lone surrogate %s", i, header[i:i+6])
	}
	return nil
}

// invalidUTF8 returns the place of the first byte that is not UTF-8, or -1.
func invalidUTF8(s []byte) int {
	if utf8.Valid(s) {
		return -1
	}
	i := 0
	for {
		r, size := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

// loneSurrogate returns the place of the first escape \ud800 to \udfff of
// valid JSON that is not part of a pair, or -1.
func loneSurrogate(s []byte) int {
	// surrogate is the escaped surrogate at i, 0 if there is none.
	surrogate := func(i int) uint64 {
		if i+6 > len(s) || s[i] != '\\' || s[i+1] != 'u' {
			return 0
		}
		r, err := strconv.ParseUint(string(s[i+2:i+6]), 16, 16)
		if err != nil || r < 0xd800 || r > 0xdfff {
			return 0
		}
		return r
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' { // in valid JSON, only inside a string
			continue
		}
		if r := surrogate(i); r >= 0xdc00 || (r != 0 && surrogate(i+6) < 0xdc00) {
			return i
		} else if r != 0 {
			i += 11
		} else {
			i++ // the escaped character, which may be a backslash
		}
	}
	return -1
}

// parser reads a header known to be valid JSON, so what remains to be checked
// is the kind of each value.
type parser struct{ *json.Decoder }

// object reads an object, calling field after each name to read the value. A
// name that occurs twice is an error.
func (p parser) object(field func(name string) error) error {
	if err := p.delim('{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.More() {
		name, err := p.text()
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("%q occurs twice", name)
		}
		seen[name] = true
		if err := field(name); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	return p.delim('}', "the end of an object")
}

// array reads an array, calling item to read each of its values.
func (p parser) array(item func() error) error {
	if err := p.delim('[', "an array"); err != nil {
		return err
	}
	for p.More() {
		if err := item(); err != nil {
			return err
		}
	}
	return p.delim(']', "the end of an array")
}

func (p parser) delim(want json.Delim, name string) error {
	token, err := p.Token()
	if err == nil && token != want {
		err = fmt.Errorf("%v, want %s", token, name)
	}
	return err
}

func (p parser) text() (string, error) {
	token, err := p.Token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("%v, want a string", token)
	}
	return s, nil
}

// number reads a whole number of at most limit, written without a fraction or
// an exponent.
func (p parser) number(limit uint64) (uint64, error) {
	token, err := p.Token()
	if err != nil {
		return 0, err
	}
	text, ok := token.(json.Number)
	n, err := strconv.ParseUint(string(text), 10, 64)
	if !ok || err != nil || n > limit {
		return 0, fmt.Errorf("%v, want a whole number from 0 to %d", token, limit)
	}
	return n, nil
}

// metadata reads the value of "__metadata__": an object of strings, or null.
func (p parser) metadata() (map[string]string, error) {
	var raw json.RawMessage
	if err := p.Decode(&raw); err != nil {
		return nil, err
	}
	if string(raw) == "null" {
		return nil, nil
	}
	metadata := map[string]string{}
	inner := parser{json.NewDecoder(bytes.NewReader(raw))}
	err := inner.object(func(key string) (err error) {
		metadata[key], err = inner.text()
		return err
	})
	return metadata, err
}

// entry reads the description of one tensor. Fields it does not know are
// skipped, as in the reference implementation.
func (p parser) entry(name string) (entry, error) {
	e := entry{name: name, shape: []int{}}
	missing := map[string]bool{"dtype": true, "shape": true, "data_offsets": true}
	err := p.object(func(field string) (err error) {
		delete(missing, field)
		switch field {
		case "dtype":
			e.dtype, err = p.text()
		case "shape":
			err = p.array(func() error {
				size, err := p.number(math.MaxInt)
				e.shape = append(e.shape, int(size))
				return err
			})
		case "data_offsets":
			e.begin, e.end, err = p.offsets()
		default:
			var ignored json.RawMessage
			err = p.Decode(&ignored)
		}
		return err
	})
	if err != nil {
		return e, err
	}
	for _, field := range []string{"dtype", "shape", "data_offsets"} {
		if missing[field] {
			return e, fmt.Errorf("no %s", field)
		}
	}
	return e, nil
}

// offsets reads an array of two numbers.
func (p parser) offsets() (begin, end uint64, err error) {
	var n int
	var pair [2]uint64
	err = p.array(func() (err error) {
		if n == len(pair) {
			return errors.New("more than 2 numbers")
		}
		pair[n], err = p.number(math.MaxUint64)
		n++
		return err
	})
	if err == nil && n < len(pair) {
		err = fmt.Errorf("%d numbers, want 2", n)
	}
	return pair[0], pair[1], err
}
