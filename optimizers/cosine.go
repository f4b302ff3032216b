package optimizers

import "math"

func init() {
	registerRule("CosineAnnealingLR", func() rule { return &cosineLR{} })
	registerRule("CosineAnnealingWarmRestarts", func() rule { return &restartsLR{} })
}

// CosineAnnealingLR swings the learning rate of each group between its first value and etaMin, half a cosine in tMax
// epochs. PyTorch's default etaMin is 0.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html and Loshchilov and
// Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017).
func CosineAnnealingLR(optimizer Optimizer, tMax int, etaMin float64) *Schedule {
	return newSchedule(optimizer, &cosineLR{TMax: tMax, EtaMin: etaMin})
}

type cosineLR struct {
	TMax   int     `torch:"T_max"`
	EtaMin float64 `torch:"eta_min=0.0"`
}

func (s *cosineLR) check() error {
	return firstError(count("T_max", s.TMax, 1), finite("eta_min", s.EtaMin))
}

// next follows PyTorch's recursion, so that a learning rate changed from outside is carried on.
func (s *cosineLR) next(at moment) float64 {
	t, epoch := float64(s.TMax), float64(at.epoch)
	switch {
	case at.initial:
		return at.rate
	case (at.epoch-1-s.TMax)%(2*s.TMax) == 0:
		return at.rate + (at.first-s.EtaMin)*(1-math.Cos(math.Pi/t))/2
	}
	height := (1 + math.Cos(math.Pi*epoch/t)) / (1 + math.Cos(math.Pi*(epoch-1)/t))
	return height*(at.rate-s.EtaMin) + s.EtaMin
}

func (s *cosineLR) restart(first float64) float64 { return first }

// CosineAnnealingWarmRestarts brings the learning rate of each group from its first value down to etaMin by half a cosine
// in t0 epochs, then starts again, each time tMult times as long. PyTorch's defaults are tMult 1 and etaMin 0.
//
// See https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html.
func CosineAnnealingWarmRestarts(optimizer Optimizer, t0, tMult int, etaMin float64) *Schedule {
	return newSchedule(optimizer, &restartsLR{T0: t0, TMult: tMult, EtaMin: etaMin})
}

type restartsLR struct {
	T0     int     `torch:"T_0"`
	TMult  int     `torch:"T_mult=1"`
	EtaMin float64 `torch:"eta_min=0.0"`
}

func (s *restartsLR) check() error {
	return firstError(count("T_0", s.T0, 1), count("T_mult", s.TMult, 1), finite("eta_min", s.EtaMin))
}

func (s *restartsLR) next(at moment) float64 {
	epoch, length := max(at.epoch, 0), s.T0
	for epoch >= length {
		epoch -= length
		length *= s.TMult
	}
	return s.EtaMin + (at.first-s.EtaMin)*(1+math.Cos(math.Pi*float64(epoch)/float64(length)))/2
}
