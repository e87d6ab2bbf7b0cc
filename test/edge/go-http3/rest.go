package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"time"
)

// What is larger is told by its size and hash.
const maxShownBytes = 1 << 20

func (e *edge) rest(ctx context.Context, command command, timeout time.Duration, answer *answer) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body, size := io.Reader(bytes.NewReader(command.Body)), int64(len(command.Body))
	if command.BodyBytes > 0 {
		body, size = io.LimitReader(&pattern{}, command.BodyBytes), command.BodyBytes
	}
	request, err := http.NewRequestWithContext(ctx, command.Method, e.url+command.Path, nil)
	if err != nil {
		return err
	}
	if size > 0 {
		request.Body, request.ContentLength = io.NopCloser(body), size
	}
	response, err := e.send(request, command.Headers, answer)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	hash := sha256.New()
	var shown bytes.Buffer
	read := io.TeeReader(response.Body, hash)
	small, err := io.CopyN(&shown, read, maxShownBytes)
	rest := int64(0)
	if err == nil {
		rest, err = io.Copy(io.Discard, read)
	}
	if err == io.EOF {
		err = nil
	}
	answer.BodyBytes, answer.BodySHA256, answer.Trailers = small+rest, hex.EncodeToString(hash.Sum(nil)), flat(response.Trailer)
	if rest == 0 {
		answer.Body = shown.Bytes()
	}
	return err
}

// pattern is a body without an end, whose byte at i is i modulo 251.
type pattern struct{ at int }

func (p *pattern) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = byte((p.at + i) % 251)
	}
	p.at = (p.at + len(into)) % 251
	return len(into), nil
}
