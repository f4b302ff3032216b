package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// wheel is a file of PyPI, named by its contents.
type wheel struct{ path, sha256 string }

// versions are those of the packages, by name.
var versions = map[string]string{
	"nvidia-cuda-runtime": "13.5.37", "nvidia-cuda-nvrtc": "13.5.37", "nvidia-cuda-nvcc": "13.5.37", "nvidia-cuda-nvrtc-cu12": "12.0.140",
}

// wheels are the packages by name and architecture.
var wheels = map[string]map[string]wheel{
	"nvidia-cuda-runtime": {
		"amd64": {"0b/7c/14b8f5518f8951e9dca57ea80f44f8ea8bcc8671812e6cc38009f3205e57/nvidia_cuda_runtime-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
			"df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d"},
		"arm64": {"d4/8d/d162f19bd57e25048b654337c6f811802abe46c3da0f7d7052a2dfd709e8/nvidia_cuda_runtime-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
			"de2dc5a7367974228b0a69588a9acc9340d3768bef1bf38bf0801eb08497cd2d"},
	},
	"nvidia-cuda-nvrtc": {
		"amd64": {"a9/54/db4e7f650746265f61c05cf1f8f556dd8c6739b58c823fbc9a7d6fda3247/nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
			"86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc"},
		"arm64": {"4e/9f/e8321dfd9dcd923c864213fed3da815da474800ead891a99b6322bdd2039/nvidia_cuda_nvrtc-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
			"36e4fa2a8ada293f5693d308e531c196ab6f91cf7a0ff479bf96a537d43a6096"},
	},
	"nvidia-cuda-nvrtc-cu12": {
		"amd64": {"1b/63/f85b7f22e0c6d4ae44287986eedf5956b20fe4150a518563d0db73360ace/nvidia_cuda_nvrtc_cu12-12.0.140-py3-none-manylinux1_x86_64.whl",
			"8e94e991d85c422de4da87bdc7472fdc1364367bd4aace7000b559cd33122071"},
	},
	"nvidia-cuda-nvcc": {
		"amd64": {"0b/7d/21c734e63423dc53fb1b1ebbb6dee84e9ccafbeeaa30e9ae07e6fdcdd15b/nvidia_cuda_nvcc-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
			"f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7"},
		"arm64": {"4e/a6/3a56f727048af470e542df5cdc6cb64c39748438e24df9b694ef2cfd1270/nvidia_cuda_nvcc-13.5.37-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
			"588eda18eb5076ae859fe272844b526459228af22df0b117f54eec3aa82bc9c8"},
	},
}

// fetched is the folder of a package's files, fetched unless it is there.
func fetched(cache, name string) (string, error) {
	folder := filepath.Join(cache, name+"-"+versions[name])
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	w, ok := wheels[name][runtime.GOARCH]
	if !ok {
		return "", fmt.Errorf("%s: no package for %s", name, runtime.GOARCH)
	}
	content, err := download("https://files.pythonhosted.org/packages/" + w.path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != w.sha256 {
		return "", fmt.Errorf("%s: the file fetched is not the one that was chosen: sha256 %x", name, sum)
	}
	aside := fmt.Sprintf("%s.%d", folder, os.Getpid())
	if err := unpack(aside, content); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return folder, os.Rename(aside, folder)
}

func download(url string) ([]byte, error) {
	client := http.Client{Timeout: 5 * time.Minute}
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

// unpack writes the headers, libraries and programs of a wheel.
func unpack(folder string, content []byte) error {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return err
	}
	for _, f := range archive.File {
		if f.FileInfo().IsDir() || !filepath.IsLocal(f.Name) || !strings.HasPrefix(f.Name, "nvidia/") || strings.HasSuffix(f.Name, ".a") {
			continue
		}
		if err := unpackFile(filepath.Join(folder, f.Name), f); err != nil {
			return err
		}
	}
	return nil
}

func unpackFile(path string, f *zip.File) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	content, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o755)
}
