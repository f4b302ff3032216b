package kernel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Who shares a core moves: the caller itself at once, a worker when it answers next. Old answers count for nothing.
func TestCrowd(t *testing.T) {
	here := 2
	var left []coreSet
	c := crowd{
		core:  func() int { return here },
		leave: func(taken *coreSet) { left, here = append(left, *taken), here+70 },
	}
	now := time.Now()
	call := func(wait time.Duration, cores ...int32) (moved bool) {
		for i, core := range cores {
			c.cores[i+1].Store(core)
		}
		now = now.Add(wait)
		return c.part(3, now)
	}
	require.False(t, call(time.Hour, 2, absent, absent), "nobody was asked")
	require.EqualValues(t, 1, c.call.Load())
	require.EqualValues(t, absent, c.cores[1].Load())
	require.False(t, call(2*fresh, 2, 3, 4), "too old")
	require.False(t, call(time.Millisecond, 1, 3, 4), "nobody shares")
	require.Empty(t, left)

	require.True(t, call(time.Millisecond, 1, 2, absent), "the caller shares")
	require.Equal(t, []coreSet{{1<<1 | 1<<2}}, left)
	require.Equal(t, 72, here)

	require.False(t, call(time.Millisecond, 5, 6, 5), "workers share")
	require.Equal(t, []int32{absent, absent, crowded}, []int32{c.cores[1].Load(), c.cores[2].Load(), c.cores[3].Load()})
	here = 5
	c.answer(3)
	require.Equal(t, coreSet{1<<5 | 1<<6, 1 << 8}, left[1], "and nor does it go to the caller's")
	require.EqualValues(t, 75, c.cores[3].Load())
	require.EqualValues(t, 5, c.call.Load())
}
