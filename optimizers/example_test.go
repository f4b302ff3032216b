package optimizers_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/graph"
	"github.com/seed-70b75153/aegis/layers"
	"github.com/seed-70b75153/aegis/losses"
	"github.com/seed-70b75153/aegis/optimizers"
	"github.com/seed-70b75153/aegis/sequential"
)

// weighted makes a model of one weight matrix, with a gradient of 1 for each weight that is reached.
func weighted(weight, reached [][]float32) *sequential.Model {
	m := sequential.New(layers.Linear(len(weight[0]), len(weight)).Bias(false))
	_ = m.Param("0.weight").Set(data.Of(weight))
	_ = m.Param("0.weight").Expr().Mul(data.Of(reached)).Sum().Backward()
	return m
}

func ExampleAdafactor() {
	m := weighted([][]float32{{1, 2}, {3, 4}}, [][]float32{{1, 1}, {1, 1}})
	if err := optimizers.Adafactor(m.Parameters(), 0.1).Step(); err != nil {
		panic(err)
	}
	fmt.Println(m.Param("0.weight").Value())
	// Output:
	// tensor([[0.7261, 1.7261],
	//         [2.7261, 3.7261]])
}

func ExampleSparseAdam() {
	m := weighted([][]float32{{1, 1}, {2, 2}, {3, 3}}, [][]float32{{0, 0}, {1, 0}, {0, 0}})
	optimizer := optimizers.SparseAdam(m.Parameters(), 0.1)
	if err := optimizer.Step(); err != nil { // only the row with a gradient
		panic(err)
	}
	fmt.Println(m.Param("0.weight").Value())
	// Output:
	// tensor([[1.0000, 1.0000],
	//         [1.9000, 2.0000],
	//         [3.0000, 3.0000]])
}

func ExampleSparseAdamOptimizer_Rows() {
	m := weighted([][]float32{{1, 1}, {2, 2}, {3, 3}}, [][]float32{{1, 1}, {1, 1}, {1, 1}})
	optimizer := optimizers.SparseAdam(m.Parameters(), 0.1)
	if err := optimizer.Rows(m.Param("0.weight"), 0, 2); err != nil {
		panic(err)
	}
	if err := optimizer.Step(); err != nil {
		panic(err)
	}
	fmt.Println(m.Param("0.weight").Value())
	// Output:
	// tensor([[0.9000, 0.9000],
	//         [2.0000, 2.0000],
	//         [2.9000, 2.9000]])
}

func ExampleMuon() {
	m := weighted([][]float32{{1, 0}, {0, 1}}, [][]float32{{3, 0}, {0, 4}})
	if err := optimizers.Muon(m.Parameters(), 0.1).WeightDecay(0).Step(); err != nil {
		panic(err)
	}
	fmt.Println(m.Param("0.weight").Value()) // both singular values moved by about lr
	// Output:
	// tensor([[0.9305, 0.0000],
	//         [0.0000, 0.8906]])
}

func ExampleLBFGS() {
	x, y := data.Of([][]float32{{1, 0}, {0, 1}, {1, 1}}), data.Of([][]float32{{2}, {3}, {5}})
	m := sequential.New(layers.Linear(2, 1).Bias(false))
	optimizer := optimizers.LBFGS(m.Parameters(), 1).LineSearch("strong_wolfe")
	_, err := optimizer.StepWith(func() (*graph.Expr, error) {
		optimizer.ZeroGrad()
		loss := losses.MSE().Of(m.Forward(x), y)
		return loss, loss.Backward()
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Param("0.weight").Value())
	// Output: tensor([[2.0000, 3.0000]])
}

// follow prints the learning rate of a schedule's optimizer, epoch after epoch.
func follow(o optimizers.Optimizer, s optimizers.Scheduler, epochs int) {
	fmt.Printf("%.3g", *o.LearningRates()[0])
	for range epochs {
		if err := s.Step(); err != nil {
			panic(err)
		}
		fmt.Printf(" %.3g", *o.LearningRates()[0])
	}
	fmt.Println()
}

func ExampleSave() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "optimizer.safetensors")

	m := weighted([][]float32{{1}}, [][]float32{{1}})
	optimizer := optimizers.Adam(m.Parameters(), 0.1)
	schedule := optimizers.StepLR(optimizer, 1, 0.5)
	for _, step := range []func() error{optimizer.Step, schedule.Step} {
		if err := step(); err != nil {
			panic(err)
		}
	}
	if err := optimizers.Save(path, optimizer, schedule); err != nil {
		panic(err)
	}

	again := optimizers.Adam(m.Parameters(), 1)
	if err := optimizers.Load(path, again, optimizers.StepLR(again, 1, 0.5)); err != nil {
		panic(err)
	}
	state, err := again.StateDict()
	if err != nil {
		panic(err)
	}
	fmt.Println(state.State[0]["step"], state.State[0]["exp_avg"], string(state.Groups[0]["lr"]))
	// Output: tensor(1.) tensor([[0.1000]]) 0.05
}

var none = sequential.New()

func ExampleCyclicLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.CyclicLR(o, 0.1, 0.5).StepSizes(2, 2), 8)
	// Output: 0.1 0.3 0.5 0.3 0.1 0.3 0.5 0.3 0.1
}

func ExampleOneCycleLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.OneCycleLR(o, 1, 8).PctStart(0.5).AnnealStrategy("linear").DivFactors(10, 10), 7)
	// Output: 0.1 0.4 0.7 1 0.752 0.505 0.258 0.01
}

func ExampleReduceLROnPlateau() {
	o := optimizers.SGD(none.Parameters(), 1)
	schedule := optimizers.ReduceLROnPlateau(o).Patience(1).Factor(0.5)
	for _, loss := range []float64{2, 1, 1, 1, 0.5} {
		if err := schedule.StepWith(loss); err != nil {
			panic(err)
		}
		fmt.Print(*o.LearningRates()[0], " ")
	}
	// Output: 1 1 1 0.5 0.5
}

func ExampleChainedScheduler() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.ChainedScheduler(optimizers.ConstantLR(o, 0.1, 3), optimizers.ExponentialLR(o, 0.5)), 4)
	// Output: 0.1 0.05 0.025 0.125 0.0625
}

func ExampleSequentialLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	warmup, decay := optimizers.LinearLR(o, 0.25, 1, 3), optimizers.ExponentialLR(o, 0.5)
	follow(o, optimizers.SequentialLR(o, []optimizers.Scheduler{warmup, decay}, []int{4}), 7)
	// Output: 0.25 0.5 0.75 1 1 0.5 0.25 0.125
}

func ExampleSWALR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.SWALR(o, 0.2).AnnealEpochs(4).AnnealStrategy("linear"), 6)
	// Output: 1 0.8 0.6 0.4 0.2 0.2 0.2
}

// twoSteps prints a weight (1, 2) after steps by the gradients (1, -2) and (0.5, 1).
func twoSteps(optimizer func(params []*graph.Param) optimizers.Optimizer) {
	m := sequential.New(layers.Linear(2, 1).Bias(false))
	_ = m.Param("0.weight").Set(data.Of([][]float32{{1, 2}}))
	o := optimizer(m.Parameters())
	for _, gradient := range [][][]float32{{{1, -2}}, {{0.5, 1}}} {
		o.ZeroGrad()
		_ = m.Param("0.weight").Expr().Mul(data.Of(gradient)).Sum().Backward()
		if err := o.Step(); err != nil {
			panic(err)
		}
	}
	fmt.Println(m.Param("0.weight").Value())
}

func ExampleAdam() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adam(p, 0.1) })
	// Output: tensor([[0.8068, 2.1266]])
}

func ExampleAdamW() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.AdamW(p, 0.1).WeightDecay(0.5) })
	// Output: tensor([[0.7143, 1.9266]])
}

func ExampleAdamax() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adamax(p, 0.1) })
	// Output: tensor([[0.8262, 2.1211]])
}

func ExampleNAdam() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.NAdam(p, 0.1) })
	// Output: tensor([[0.8420, 2.0645]])
}

func ExampleRAdam() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.RAdam(p, 0.1) })
	// Output: tensor([[0.8263, 2.2421]])
}

func ExampleAdagrad() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adagrad(p, 0.1) })
	// Output: tensor([[0.8553, 2.0553]])
}

func ExampleAdadelta() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.Adadelta(p, 1) })
	// Output: tensor([[0.9948, 2.0011]])
}

func ExampleRMSprop() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.RMSprop(p, 0.1) })
	// Output: tensor([[-0.4490,  2.5510]])
}

func ExampleRprop() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.Rprop(p, 0.1) })
	// Output: tensor([[0.7800, 2.1000]])
}

func ExampleASGD() {
	twoSteps(func(p []*graph.Param) optimizers.Optimizer { return optimizers.ASGD(p, 0.1) })
	// Output: tensor([[0.8500, 2.1000]])
}

func ExampleStepLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.StepLR(o, 2, 0.5), 5)
	// Output: 1 1 0.5 0.5 0.25 0.25
}

func ExampleMultiStepLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.MultiStepLR(o, []int{1, 3}, 0.1), 5)
	// Output: 1 0.1 0.1 0.01 0.01 0.01
}

func ExampleExponentialLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.ExponentialLR(o, 0.5), 5)
	// Output: 1 0.5 0.25 0.125 0.0625 0.0312
}

func ExampleConstantLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.ConstantLR(o, 0.5, 2), 5)
	// Output: 0.5 0.5 1 1 1 1
}

func ExampleLinearLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.LinearLR(o, 0.2, 1, 4), 5)
	// Output: 0.2 0.4 0.6 0.8 1 1
}

func ExamplePolynomialLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.PolynomialLR(o, 4, 2), 5)
	// Output: 1 0.562 0.25 0.0625 0 0
}

func ExampleCosineAnnealingLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.CosineAnnealingLR(o, 4, 0), 5)
	// Output: 1 0.854 0.5 0.146 0 0.146
}

func ExampleCosineAnnealingWarmRestarts() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.CosineAnnealingWarmRestarts(o, 2, 2, 0), 5)
	// Output: 1 0.5 1 0.854 0.5 0.146
}

func ExampleLambdaLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.LambdaLR(o, func(epoch int) float64 { return 1 / float64(1+epoch) }), 5)
	// Output: 1 0.5 0.333 0.25 0.2 0.167
}

func ExampleMultiplicativeLR() {
	o := optimizers.SGD(none.Parameters(), 1)
	follow(o, optimizers.MultiplicativeLR(o, func(epoch int) float64 { return 1 / float64(1+epoch) }), 5)
	// Output: 1 0.5 0.167 0.0417 0.00833 0.00139
}

func ExampleClipGradNorm() {
	m := weighted([][]float32{{0, 0}}, [][]float32{{3, 4}})
	norm, err := optimizers.ClipGradNorm(m.Parameters(), 1)
	fmt.Println(norm, m.Param("0.weight").Grad(), err)
	// Output: tensor(5.) tensor([[0.6000, 0.8000]]) <nil>
}

func ExampleClipGradValue() {
	m := weighted([][]float32{{0, 0}}, [][]float32{{3, -0.5}})
	err := optimizers.ClipGradValue(m.Parameters(), 1)
	fmt.Println(m.Param("0.weight").Grad(), err)
	// Output: tensor([[ 1.0000, -0.5000]]) <nil>
}

func ExampleFromModule() {
	m := weighted([][]float32{{1}}, [][]float32{{1}})
	optimizer, err := optimizers.FromModule("SGD", map[string]json.RawMessage{"lr": json.RawMessage("0.5")}, optimizers.Group{Params: m.Parameters()})
	if err != nil {
		panic(err)
	}
	schedule, err := optimizers.SchedulerFromModule("StepLR", map[string]json.RawMessage{"step_size": json.RawMessage("2")}, optimizer)
	if err != nil {
		panic(err)
	}
	follow(optimizer, schedule, 4)
	// Output: 0.5 0.5 0.05 0.05 0.005
}
