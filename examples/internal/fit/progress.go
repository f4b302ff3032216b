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
	show := progress(epochs)
	return func(epoch int, loss float64) { show(epoch, fmt.Sprintf("loss %.4f", loss)) }
}

// ValidatedProgress is [Progress] with a loss of rows that were not trained on.
func ValidatedProgress(epochs int) func(epoch int, loss, validation float64) {
	show := progress(epochs)
	return func(epoch int, loss, validation float64) {
		show(epoch, fmt.Sprintf("loss %.4f, validation %.4f", loss, validation))
	}
}

func progress(epochs int) func(epoch int, figures string) {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(epoch int, figures string) {
			fmt.Fprintf(os.Stderr, "epoch %d of %d: %s\n", epoch, epochs, figures)
		}
	}
	const width = 30
	return func(epoch int, figures string) {
		done := epoch * width / epochs
		fmt.Fprintf(os.Stderr, "\r[%s%s] epoch %d of %d, %s ", strings.Repeat("=", done), strings.Repeat(" ", width-done), epoch, epochs, figures)
		if epoch == epochs {
			fmt.Fprintln(os.Stderr)
		}
	}
}

// Interruptible is a context that an interrupt (Ctrl-C) ends.
func Interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt)
}
