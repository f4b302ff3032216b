package format

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Float returns Python's repr of v: the shortest digits that read back as v,
// "1.0", "1e-05", "1e+16", "inf", "nan".
func Float(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nonFinite(v)
	}
	text := strconv.FormatFloat(v, 'e', -1, 64)
	exponent, err := strconv.Atoi(text[strings.IndexByte(text, 'e')+1:])
	if err != nil {
		panic("BUG: no exponent in " + text)
	}
	if exponent < -4 || exponent >= 16 {
		return text
	}
	text = strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// String returns Python's repr of s: quoted by ' unless s holds ' and no ",
// with what is not printable escaped. A byte that is not UTF-8 is shown as
// Python's surrogateescape shows it.
func String(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteByte(quote)
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\udc%02x`, s[i])
		case r == rune(quote) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte(quote)
	return b.String()
}

// Value returns Python's repr of what v is in Python: None for nil, True and
// False, integers, floats ([Float]), strings ([String]), and a tuple for a
// slice or an array: "(2, 3)", "(2,)", "()". A pointer stands for what it
// points to. Anything else is printed as fmt prints it.
func Value(v any) string {
	return repr(reflect.ValueOf(v))
}

func repr(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Invalid:
		return "None"
	case reflect.Bool:
		return boolRepr(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return Float(v.Float())
	case reflect.String:
		return String(v.String())
	case reflect.Pointer, reflect.Interface:
		return repr(v.Elem())
	case reflect.Slice, reflect.Array:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = repr(v.Index(i))
		}
		return parenthesized(items)
	}
	return fmt.Sprint(v)
}

// tuple is the repr of a tensor's size.
func tuple(shape []int) string {
	return Value(shape)
}

// parenthesized joins the items of a tuple; a single one keeps its comma.
func parenthesized(items []string) string {
	if len(items) == 1 {
		return "(" + items[0] + ",)"
	}
	return "(" + strings.Join(items, ", ") + ")"
}

func boolRepr(v bool) string {
	if v {
		return "True"
	}
	return "False"
}

// nonFinite is Python's name of an infinity or NaN; NaN has no sign there.
func nonFinite(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case v > 0:
		return "inf"
	}
	return "-inf"
}

// pad fills s with spaces on the left up to width.
func pad(s string, width int) string {
	return strings.Repeat(" ", max(0, width-len(s))) + s
}
