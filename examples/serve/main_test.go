package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-70b75153/aegis/examples/internal/datasets"
	"github.com/seed-70b75153/aegis/sequential"
)

func post(h http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/digit", strings.NewReader(body)))
	return w
}

func service(t *testing.T) http.Handler {
	model, err := sequential.LoadBytes(trained)
	require.NoError(t, err)
	return handler(model)
}

// TestAnswersArePyTorchs asks all images at once.
func TestAnswersArePyTorchs(t *testing.T) {
	text, err := os.ReadFile("testdata/answers.json")
	require.NoError(t, err)
	var recorded struct {
		Answers []struct {
			Row           int       `json:"row"`
			Probabilities []float32 `json:"probabilities"`
		} `json:"answers"`
	}
	require.NoError(t, json.Unmarshal(text, &recorded))
	require.NotEmpty(t, recorded.Answers)
	digits, err := datasets.Digits()
	require.NoError(t, err)
	h := service(t)
	var all sync.WaitGroup
	for _, want := range recorded.Answers {
		body, err := json.Marshal(digits.Features[want.Row])
		require.NoError(t, err)
		all.Go(func() {
			w := post(h, string(body))
			var got answer
			if !assert.Equal(t, http.StatusOK, w.Code, w.Body) || !assert.NoError(t, json.Unmarshal(w.Body.Bytes(), &got)) {
				return
			}
			assert.InDeltaSlice(t, want.Probabilities, got.Probabilities, 1e-5)
		})
	}
	all.Wait()
}

func TestMistakesAreAnswered(t *testing.T) {
	h := service(t)
	for body, want := range map[string]string{"[1,2,3]": "0: BatchNorm1d(64, momentum=None): input (1, 3)", "[1,": "EOF", `"zero"`: "string", "[]": "BatchNorm1d"} {
		w := post(h, body)
		require.Equal(t, http.StatusBadRequest, w.Code, body)
		require.Contains(t, w.Body.String(), want)
	}
}
