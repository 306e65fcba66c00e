//go:build tools

// Package tools pins the version of etcd that the end-to-end tests run.
package tools

import _ "go.etcd.io/etcd/server/v3"
