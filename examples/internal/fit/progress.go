package fit

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

// Progress gives a report for [Training.Run]: a bar on a terminal, else a line an epoch, both on the standard error.
func Progress(epochs int) func(epoch int, loss float64) {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(epoch int, loss float64) {
			fmt.Fprintf(os.Stderr, "epoch %d of %d: loss %.4f\n", epoch, epochs, loss)
		}
	}
	const width = 30
	return func(epoch int, loss float64) {
		done := epoch * width / epochs
		fmt.Fprintf(os.Stderr, "\r[%s%s] epoch %d of %d, loss %.4f ", strings.Repeat("=", done), strings.Repeat(" ", width-done), epoch, epochs, loss)
		if epoch == epochs {
			fmt.Fprintln(os.Stderr)
		}
	}
}

// Interruptible is a context that an interrupt (Ctrl-C) ends.
func Interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt)
}
