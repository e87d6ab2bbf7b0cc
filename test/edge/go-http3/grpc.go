package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	maxMessageBytes   = 16 << 20
	maxResponsesBytes = 128 << 20
	// How much later than the server is told it gives up itself: what the server says of its deadline is waited for.
	patience = 2 * time.Second
)

// grpc makes a call of any of the four kinds: the requests as messages of gRPC, and whatever messages come.
func (e *edge) grpc(ctx context.Context, cancel func(), command command, timeout time.Duration, answer *answer) error {
	limited, release := context.WithTimeout(ctx, timeout+patience)
	defer release()
	body, requests := io.Pipe()
	// What is still to be written when the answer is over has no reader.
	defer body.Close()
	request, err := http.NewRequestWithContext(limited, http.MethodPost, e.url+command.Path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("TE", "trailers")
	if command.TimeoutMs > 0 {
		request.Header.Set("Grpc-Timeout", strconv.Itoa(command.TimeoutMs)+"m")
	}
	answered := make(chan struct{}, len(command.Requests))
	go writeMessages(limited, requests, command, answered)

	response, err := e.send(request, command.Headers, answer)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	for size := 0; ; {
		message, err := readMessage(response.Body)
		answer.Trailers = flat(response.Trailer)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if size += len(message); size > maxResponsesBytes {
			return errors.New("more messages than this client keeps")
		}
		answer.Responses = append(answer.Responses, message)
		select {
		case answered <- struct{}{}:
		default:
		}
		if len(answer.Responses) == command.CancelAfterResponses {
			cancel()
		}
	}
}

// writeMessages ends what it writes to, unless the call is given up before: a stream that is reset must not look ended.
func writeMessages(ctx context.Context, to *io.PipeWriter, command command, answered <-chan struct{}) {
	for i, message := range command.Requests {
		if i > 0 && command.PingPong {
			select {
			case <-answered:
			case <-ctx.Done():
				to.CloseWithError(ctx.Err())
				return
			}
		}
		head := make([]byte, 5, 5+len(message))
		binary.BigEndian.PutUint32(head[1:], uint32(len(message)))
		if _, err := to.Write(append(head, message...)); err != nil {
			return
		}
	}
	if command.KeepOpen {
		<-ctx.Done()
		to.CloseWithError(ctx.Err())
	}
	to.Close()
}

// readMessage gives io.EOF when the stream ended between two messages.
func readMessage(from io.Reader) ([]byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if head[0] != 0 || size > maxMessageBytes {
		return nil, fmt.Errorf("not a message that was asked for: flag %d, %d bytes", head[0], size)
	}
	message := make([]byte, size)
	_, err := io.ReadFull(from, message)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return message, err
}
