package safetensors

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func sample() *File {
	return &File{
		Metadata: map[string]string{"note": "<é>"},
		Tensors: []Tensor{
			F32("b", []int{2, 2}, []float32{1, -2, float32(math.Inf(1)), 4}),
			F64("a", nil, []float64{0.1}),
			F32("empty", []int{0, 3}, nil),
			Bool("flag", []int{3}, []bool{true, false, true}),
		},
	}
}

func encoded(t *testing.T, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, f))
	return b.Bytes()
}

func tensor(t *testing.T, f *File, name string) *Tensor {
	t.Helper()
	tensor, ok := f.Tensor(name)
	require.True(t, ok, name)
	return tensor
}

// equal compares elements with what a decoder returns.
func equal[T any](t *testing.T, want ...T) func(values []T, ok bool) {
	return func(values []T, ok bool) {
		t.Helper()
		require.True(t, ok)
		require.Equal(t, want, values)
	}
}

// The Python package wrote this file (testdata/record.py). We read its values
// and write the same bytes.
func TestReferenceFile(t *testing.T) {
	f, err := ReadFile("testdata/reference.safetensors")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"note": "a \"quoted\" <é>\n"}, f.Metadata)
	require.Len(t, f.Tensors, 14)
	equal[float32](t, 0, 0.25, 0.5, 0.75, 1, 1.25)(tensor(t, f, "0.weight").Float32s())
	require.Equal(t, []int{2, 3}, tensor(t, f, "0.weight").Shape)
	equal(t, float32(math.Inf(1)), float32(math.Copysign(0, -1)))(tensor(t, f, "0.bias").Float32s())
	equal(t, 0.1)(tensor(t, f, "double").Float64s())
	require.Equal(t, []int{}, tensor(t, f, "double").Shape)
	equal[float32](t, 1.5, -2, 0x1p-24, 65504)(tensor(t, f, "half").Float32s())
	equal[int64](t, -1<<62)(tensor(t, f, "count").Int64s())
	equal[int32](t, -1, 7)(tensor(t, f, "int32").Int32s())
	equal[int64](t, -3)(tensor(t, f, "int16").Int64s())
	equal[int32](t, -128)(tensor(t, f, "int8").Int32s())
	equal[int64](t, 255, 1)(tensor(t, f, "uint8").Int64s())
	equal[int32](t, 65535)(tensor(t, f, "uint16").Int32s())
	equal[int64](t, math.MaxUint32)(tensor(t, f, "uint32").Int64s())
	equal(t, true, false, true)(tensor(t, f, "mask").Bools())
	require.Equal(t, []int{0, 3}, tensor(t, f, "empty").Shape)
	require.Equal(t, "U64", tensor(t, f, "é\"\\/\n\b\f\r\t\x01\x1f\x7f\u2028<&>😀").DType)

	want, err := os.ReadFile("testdata/reference.safetensors")
	require.NoError(t, err)
	slices.Reverse(f.Tensors)
	require.Equal(t, string(want), string(encoded(t, f)))
}

func TestReferenceBFloat16(t *testing.T) {
	f, err := ReadFile("testdata/bfloat16.safetensors")
	require.NoError(t, err)
	require.Nil(t, f.Metadata)
	equal[float32](t, 1, -2.5)(tensor(t, f, "b").Float32s())
}

// Every value that a file can hold comes back, in the same order whatever the
// order it had before, and equal content gives equal bytes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &File{}
		if rapid.Bool().Draw(t, "has metadata") {
			f.Metadata = rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "metadata")
		}
		names := rapid.SliceOfNDistinct(rapid.String(), 0, 5, rapid.ID[string]).Draw(t, "names")
		for _, name := range names {
			if name == metadataKey {
				continue
			}
			dtype := dtypes[rapid.IntRange(0, len(dtypes)-1).Draw(t, "dtype")]
			shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "shape")
			size, err := byteSize(dtype.name, shape)
			if err != nil { // not whole bytes
				continue
			}
			data := rapid.SliceOfN(rapid.Byte(), int(size), int(size)).Draw(t, "data")
			f.Tensors = append(f.Tensors, Tensor{name, dtype.name, shape, data})
		}
		again := written(t, f)
		require.ElementsMatch(t, f.Tensors, again.Tensors)
		require.Equal(t, again, written(t, again), "the order in the file is kept")

		var one, two bytes.Buffer
		require.NoError(t, Write(&one, f))
		slices.Reverse(f.Tensors)
		require.NoError(t, Write(&two, f))
		require.Equal(t, one.Bytes(), two.Bytes())
		require.Zero(t, le.Uint64(one.Bytes())%lengthSize, "tensors are aligned")
	})
}

func TestTruncatedAnywhereIsAnError(t *testing.T) {
	text := encoded(t, sample())
	for n := range text {
		_, err := Read(bytes.NewReader(text[:n]), int64(n))
		require.Error(t, err, n)
		_, err = Read(bytes.NewReader(text[:n]), int64(len(text)))
		var bad *FormatError
		require.ErrorAs(t, err, &bad)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%d bytes of a file that said more", n)
	}
}

// A failing disk is not a malformed file.
func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	text := encoded(t, sample())
	for n := range text {
		_, err := Read(io.MultiReader(bytes.NewReader(text[:n]), iotest.ErrReader(broken)), int64(len(text)))
		require.ErrorIs(t, err, broken)
		var bad *FormatError
		require.False(t, errors.As(err, &bad))
	}
}

// Read takes no more of its reader than the file.
func TestReadLeavesWhatFollows(t *testing.T) {
	text := encoded(t, sample())
	r := bytes.NewReader(append(slices.Clone(text), "rest"...))
	_, err := Read(r, int64(len(text)))
	require.NoError(t, err)
	require.Equal(t, 4, r.Len())
	require.Error(t, expectEOF(r), "a file that grew")
	_, err = Read(r, -1)
	require.Error(t, err)
}

func TestErrorsNameTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.safetensors")
	require.NoError(t, os.WriteFile(path, file(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), 0o644))
	_, err := ReadFile(path)
	require.EqualError(t, err, "safetensors: "+path+`: tensor "w": data_offsets [0, 4], want 8 bytes for shape [2] of F32`)
	_, err = ReadFile(path + ".missing")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = ReadFile(filepath.Dir(path))
	require.ErrorContains(t, err, "not a regular file")
}

func TestWriteRefuses(t *testing.T) {
	one := []float32{1}
	for _, c := range []struct {
		file File
		want string
	}{
		{File{Tensors: []Tensor{F32("a", nil, one), F32("a", nil, one)}}, `tensor "a": occurs twice`},
		{File{Tensors: []Tensor{F32("a", nil, one), F64("a", nil, []float64{1})}}, `tensor "a": occurs twice`},
		{File{Tensors: []Tensor{F32(metadataKey, nil, one)}}, "the name is reserved"},
		{File{Tensors: []Tensor{F32("\xff", nil, one)}}, "the name is not UTF-8"},
		{File{Tensors: []Tensor{F32("a", []int{2}, one)}}, `tensor "a": 4 bytes, want 8 for shape [2] of F32`},
		{File{Tensors: []Tensor{F32("a", []int{-1, -1}, one)}}, "negative size"},
		{File{Tensors: []Tensor{{Name: "a", DType: "F31"}}}, `unknown dtype "F31"`},
		{File{Metadata: map[string]string{"a": "\xff"}}, `metadata "a": not UTF-8`},
		{File{Metadata: map[string]string{"\xff": "a"}}, "not UTF-8"},
		{File{Metadata: map[string]string{"a": strings.Repeat("a", maxHeader)}}, "want at most 100000000"},
	} {
		var b bytes.Buffer
		err := Write(&b, &c.file)
		var bad *FormatError
		require.ErrorAs(t, err, &bad)
		require.ErrorContains(t, err, c.want)
		require.Zero(t, b.Len())
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.safetensors")
	require.NoError(t, WriteFile(path, sample()))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, encoded(t, sample()), before)

	plain, err := os.OpenFile(filepath.Join(dir, "plain"), os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	require.NoError(t, plain.Close())
	want, err := os.Stat(plain.Name())
	require.NoError(t, err)
	got, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, want.Mode(), got.Mode(), "the umask is honoured")
	require.NoError(t, os.Remove(plain.Name()))

	bad := &File{Tensors: []Tensor{{Name: "a", DType: "F32", Shape: []int{2}, Data: []byte{1}}}}
	require.ErrorContains(t, WriteFile(path, bad), path)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)

	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o755))
	require.Error(t, WriteFile(filepath.Join(dir, "folder"), sample()), "the rename fails")
	require.ErrorIs(t, WriteFile(filepath.Join(dir, "missing", "x"), sample()), os.ErrNotExist)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 2, "what was written aside is gone")

	require.NoError(t, WriteFile(path, &File{}), "an old file is replaced")
	f, err := ReadFile(path)
	require.NoError(t, err)
	require.Empty(t, f.Tensors)
}

// Every binary16 has the value that its parts say.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		sign, exponent, fraction := 1-2*float64(h>>15), h>>10&0x1f, float64(h&0x3ff)
		want := sign * math.Ldexp(1+fraction/1024, exponent-15)
		switch {
		case exponent == 0:
			want = math.Copysign(math.Ldexp(fraction, -24), sign)
		case exponent == 0x1f && fraction == 0:
			want = math.Inf(int(sign))
		case exponent == 0x1f:
			require.True(t, math.IsNaN(float64(half(uint16(h)))))
			continue
		}
		if got := half(uint16(h)); float64(got) != want || math.Signbit(float64(got)) != (sign < 0) {
			t.Fatalf("half %#04x is %v, want %v", h, got, want)
		}
	}
}

// A decoder refuses other dtypes and bytes that do not fit the shape.
func TestDecodersRefuse(t *testing.T) {
	for _, c := range []Tensor{I64("a", nil, []int64{1}), {DType: "F32", Shape: []int{2}, Data: make([]byte, 4)}, {DType: "U32", Data: make([]byte, 4)}} {
		_, ok := c.Float32s()
		require.False(t, ok)
		_, ok = c.Float64s()
		require.False(t, ok)
		_, ok = c.Bools()
		require.False(t, ok)
		_, ok = c.Int32s()
		require.False(t, ok)
	}
	u64 := Tensor{DType: "U64", Data: make([]byte, 8)}
	_, ok := u64.Int64s()
	require.False(t, ok)
	i32 := I32("a", []int{2}, []int32{math.MinInt32, 3})
	equal[int32](t, math.MinInt32, 3)(i32.Int32s())
	_, ok = (&File{}).Tensor("a")
	require.False(t, ok)
}
