// Package spec reads and writes the constructor arguments of PyTorch's classes from the fields of Go structs, so that a
// layer, a loss or an optimizer states its arguments once: in the tag of each field.
//
//	type LinearLayer struct {
//		InFeatures int  `torch:"in_features"`
//		HasBias    bool `torch:"bias=true"`
//	}
//
// A tag is PyTorch's name, with a default behind "=" (in JSON) where the argument has one. The option ";hidden" leaves
// an argument out of the printed form while it has its default; ";ignored" names an argument that is accepted with its
// default only; ";positional" prints the value without the name; ";unprinted" never prints it; ";forward" names an argument of PyTorch's forward that is a setting here: it is neither printed nor
// encoded while it has its default.
package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/seed-70b75153/aegis/internal/format"
)

// Argument is one constructor argument.
type Argument struct {
	Name     string
	Value    any
	Required bool
	Default  bool // it has its default
	Hidden   bool
	Bare     bool // printed without its name
}

type field struct {
	index           int
	name            string
	fallback        string
	required        bool
	hidden, ignored bool
	forward         bool
	positional      bool
	unprinted       bool
}

// fields reads the tags of a struct type.
func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("torch")
		if !ok {
			continue
		}
		tag, options, _ := strings.Cut(tag, ";")
		f := field{index: i, hidden: options == "hidden", ignored: options == "ignored", forward: options == "forward", positional: options == "positional", unprinted: options == "unprinted"}
		var has bool
		f.name, f.fallback, has = strings.Cut(tag, "=")
		f.required = !has
		out = append(out, f)
	}
	return out
}

// Arguments gives the arguments of a tagged struct, in the order of its fields.
func Arguments(v any) []Argument {
	value := reflect.ValueOf(v)
	var out []Argument
	for _, f := range fields(value.Type()) {
		x := value.Field(f.index).Interface()
		usual := !f.required && isDefault(x, f.fallback)
		hidden := f.unprinted || (f.hidden || f.ignored || f.forward) && usual
		if hidden && f.forward {
			continue
		}
		out = append(out, Argument{Name: f.name, Value: x, Required: f.required, Default: usual, Hidden: hidden, Bare: f.positional})
	}
	return out
}

func isDefault(x any, fallback string) bool {
	v := reflect.New(reflect.TypeOf(x)).Elem()
	return decode(v, json.RawMessage(fallback)) == nil && reflect.DeepEqual(v.Interface(), x)
}

// Encode gives the arguments as JSON, in PyTorch's names.
func Encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, a := range Arguments(v) {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(jsonValue(a.Value))
		if err != nil {
			return nil, fmt.Errorf("argument %s: %w", a.Name, err)
		}
		fmt.Fprintf(&b, "%q:%s", a.Name, text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// jsonValue writes floats that JSON lacks as strings.
func jsonValue(v any) any {
	f, ok := v.(float64)
	switch {
	case !ok:
		return v
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return v
}

// ArgumentError says what is wrong with a constructor's arguments.
type ArgumentError struct {
	Argument string
	Problem  string
}

func (e *ArgumentError) Error() string { return fmt.Sprintf("argument %s: %s", e.Argument, e.Problem) }

// Decode fills a tagged struct, given by pointer, from arguments in JSON. Missing arguments take their defaults;
// unknown ones are an error.
func Decode(into any, args map[string]json.RawMessage) error {
	value := reflect.ValueOf(into).Elem()
	known := map[string]bool{}
	for _, f := range fields(value.Type()) {
		known[f.name] = true
		text, ok := args[f.name]
		if !ok {
			if f.required {
				return &ArgumentError{f.name, "missing"}
			}
			text = json.RawMessage(f.fallback)
		}
		if err := decode(value.Field(f.index), text); err != nil {
			return &ArgumentError{f.name, fmt.Sprintf("%s: %v", text, err)}
		}
		if f.ignored && string(text) != f.fallback {
			return &ArgumentError{f.name, fmt.Sprintf("%s is not supported, only %s", text, f.fallback)}
		}
	}
	for name := range args {
		if !known[name] && !private(name, args[name]) {
			return &ArgumentError{name, "unknown"}
		}
	}
	return nil
}

// private says that an argument is for PyTorch's own use, and not used.
func private(name string, value json.RawMessage) bool {
	return strings.HasPrefix(name, "_") && (string(value) == "null" || string(value) == "false")
}

var floats = map[string]float64{`"inf"`: math.Inf(1), `"-inf"`: math.Inf(-1), `"nan"`: math.NaN()}

// Float reads a number, also one that JSON lacks: "inf", "-inf" or "nan".
func Float(text json.RawMessage) (f float64, err error) {
	if f, ok := floats[string(text)]; ok {
		return f, nil
	}
	return f, json.Unmarshal(text, &f)
}

func decode(v reflect.Value, text json.RawMessage) error {
	if v.Kind() == reflect.Float64 && string(text) != "null" {
		f, err := Float(text)
		v.SetFloat(f)
		return err
	}
	if string(text) == "null" && v.Kind() != reflect.Struct && v.Kind() != reflect.Pointer && v.Kind() != reflect.Slice {
		return fmt.Errorf("want %s", v.Kind())
	}
	return json.Unmarshal(text, v.Addr().Interface())
}

// Repr is PyTorch's text of a module: "Linear(in_features=3, out_features=8, bias=True)".
func Repr(class string, v any) string {
	var parts []string
	for _, a := range Arguments(v) {
		switch {
		case a.Bare:
			parts = append(parts, python(a.Value))
		case !a.Hidden:
			parts = append(parts, a.Name+"="+python(a.Value))
		}
	}
	return class + "(" + strings.Join(parts, ", ") + ")"
}

// Short names a module by its required arguments and those that differ from their defaults: "Linear(3, 8, bias=False)".
func Short(class string, v any) string {
	var parts []string
	for _, a := range Arguments(v) {
		switch {
		case a.Required:
			parts = append(parts, python(a.Value))
		case !a.Default:
			parts = append(parts, a.Name+"="+python(a.Value))
		}
	}
	return class + "(" + strings.Join(parts, ", ") + ")"
}

// python is Python's repr of an argument.
func python(v any) string {
	if p, ok := v.(interface{ PythonRepr() any }); ok {
		v = p.PythonRepr()
	}
	return format.Value(v)
}
