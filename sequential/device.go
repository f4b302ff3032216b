package sequential

import "github.com/seed-70b75153/aegis/graph"

// To moves the model to a device, in PyTorch's words model.to(device): its parameters, gradients and buffers live there from
// now on, its expressions are computed there, and values come back when they are asked for. Where the device can't be used
// it says why, and the model stays where it is.
//
//	if err := model.To(cuda.Device(0)); err != nil {
//		fmt.Println(err) // "no CUDA device: …": it computes on the CPU as before
//	}
func (m *Model) To(d graph.Device) error {
	if m.err != nil {
		return m.err
	}
	for _, s := range m.storages {
		if err := s.To(d); err != nil {
			return err
		}
	}
	return nil
}

// Device is where the model is: graph.CPU at first.
func (m *Model) Device() graph.Device {
	if m.err != nil {
		return graph.CPU
	}
	return m.storages[0].Device()
}
