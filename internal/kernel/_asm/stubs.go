package main
func reductions(m machine){}
func rows(m machine){}
func tiles(m machine){}
func packing(m machine){}
func optimizers(m machine){}
