// SPDX-License-Identifier: GPL-2.0-or-later

// Package worker is the worker process: it runs one command at a time, on a
// channel that the master hands it, with the engine (worker/hg) or with the
// real hg, and tells the master afterwards what it did.
//
// It is disposable. A panic is one request's error, after which the process
// ends; whatever else happens to it, its client sees the channel end and the
// master forks another. It never decides about a cache or about other workers,
// and it never starts the real hg for a command of which the client has seen a
// byte.
//
// Four kinds of goroutines:
//
//	main          takes one task at a time: a channel to serve, or a job
//	control       reads the control socket (control.go): tasks, images, the end
//	watcher       reads the channel while a command takes long (channel.go): cancels
//	settler       makes an image of what the last command found out (settler.go),
//	              while main answers the next ones: on a thread that yields to all
//	              others (background.go), where jobs run, too
//
// Main touches the engine, and the settler for a moment, under its lock.
package worker
