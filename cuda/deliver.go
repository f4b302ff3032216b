//go:build gpu

package cuda

import _ "embed"

//go:embed memory.cu
var memoryText string

var memorySource = NewSource("memory", memoryText)

// Delivery is bytes that a plan copies at its end to a place that may be another one at each run.
type Delivery struct {
	To, From *Place
	Bytes    int
}

// Deliver adds the copies, a few with each kernel. Unlike [Plan.Copy]'s their places may move without anything being captured
// again. Where a place is the one it is copied from, nothing happens.
func (p *Plan) Deliver(list []Delivery) error {
	const each = 4 // as in memory.cu
	for ; len(list) > 0; list = list[min(each, len(list)):] {
		var args []any
		most := 0
		for i := range each {
			d := Delivery{To: list[0].To, From: list[0].To} // nothing
			if i < len(list) {
				d = list[i]
			}
			args = append(args, d.To, d.From, d.Bytes)
			most = max(most, d.Bytes)
		}
		const unit = 16
		if err := p.Launch(memorySource.Kernel("deliver", Float32), Elements((most+unit-1)/unit), args...); err != nil {
			return err
		}
	}
	return nil
}
