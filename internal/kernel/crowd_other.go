//go:build !linux || !(amd64 || arm64)

package kernel

import "time"

func currentCore() int { return absent }

func leaveCores(*coreSet) {}

func nap(d time.Duration) { time.Sleep(d) }
