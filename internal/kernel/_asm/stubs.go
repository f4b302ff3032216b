package main

func reductions(m machine) {}
func rows(m machine)       {}
func optimizers(m machine) {}
