//go:build tools

// Package tools pins the version of Prometheus that the end-to-end tests run.
package tools

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
	_ "github.com/prometheus/prometheus/cmd/promtool"
)
