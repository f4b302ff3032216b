// Serve answers over HTTP which digit an image shows, by a model that was trained in PyTorch: train.py wrote
// model.safetensors, which is all that this program needs of it.
//
//	go run ./examples/serve &
//	curl -d '[0,0,5,13,9,1,0,0, 0,0,13,15,10,15,5,0, 0,3,15,2,0,11,8,0, 0,4,12,0,0,8,8,0,
//	          0,5,8,0,0,9,8,0, 0,4,11,0,1,12,7,0, 0,2,14,5,10,12,0,0, 0,0,6,13,10,0,0,0]' localhost:8080/digit
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"time"

	"gorgonia.org/tensor"

	"github.com/seed-70b75153/aegis/data"
	"github.com/seed-70b75153/aegis/sequential"
)

//go:embed model.safetensors
var trained []byte

func main() {
	address := flag.String("address", "localhost:8080", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, *address); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, address string) error {
	model, err := sequential.LoadBytes(trained)
	if err != nil {
		return err
	}
	fmt.Printf("%v\nlistening on http://%s/digit\n", model, address)
	server := &http.Server{Addr: address, Handler: handler(model), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// answer is what is known of an image.
type answer struct {
	Digit         int       `json:"digit"`
	Probabilities []float32 `json:"probabilities"`
}

// handler answers requests, many at once: Predict is safe from any number of goroutines.
func handler(model *sequential.Model) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /digit", func(w http.ResponseWriter, r *http.Request) {
		var image []float32
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&image); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		scores := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(1, 10))
		if err := model.PredictInto(scores, data.Of([][]float32{image})); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest) // "0: BatchNorm1d(64): input (1, 3), want (*, 64)"
			return
		}
		a := answer{Probabilities: scores.Float32s()}
		for i, p := range a.Probabilities {
			if p > a.Probabilities[a.Digit] {
				a.Digit = i
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(a)
	})
	return mux
}
