/*
 * Clients of a monitor, as many as there are descriptors. Output is held once for all of them, one chunk per stream;
 * each client has its place in it, and beyond that a buffer of its own, the kernel's of its socket. A chunk is replaced
 * when every client has sent it, so a slow client slows the process down and loses nothing, and one that went away is
 * forgotten at once. Input of any client goes into one buffer; none is read while that is not empty.
 */
#ifndef CARAFE_ATTACH_H
#define CARAFE_ATTACH_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "tape.h"

enum {
  CLIENT_LIMIT = 1 << 16, /* far more than descriptors; room that costs nothing until it is used */
  CLIENT_BUFFER_BYTES = 1024 * 1024, /* that a client may be behind */
  CHUNK_BYTES = 64 * 1024,
  FRAME_HEADER_BYTES = 8,
};

enum client_state {
  CLIENT_GREETING, /* has not said (all of) what it wants */
  CLIENT_ATTACHED,
  CLIENT_WATCHING,
  CLIENT_ENDING, /* was told everything; its end of the connection is awaited */
};

struct client {
  int fd; /* -1: no client here */
  uint8_t state;
  uint8_t streams;  /* TAPE_STD* */
  uint8_t pending;  /* output streams (bits 1 << LOG_*) whose chunk it has not sent yet */
  uint8_t sending;  /* the stream whose frame it is in the middle of, plus one; 0: none */
  bool input;       /* its side of the connection is open */
  bool gone;        /* closed altogether; only what it wrote before is still read */
  uint8_t heard;    /* bytes of `hello` */
  uint32_t sent;    /* bytes of the frame */
  struct tape_hello hello;
};

struct clients {
  bool frames;     /* no terminal: output in frames */
  uint32_t count;  /* entries of `all` in use or freed */
  uint32_t bytes[LOG_STREAMS]; /* of the chunks */
  bool input_once; /* the first that ends its input, ends it for all */
  bool input_open;
  uint32_t input_bytes, input_done; /* of `input` */
  struct client all[CLIENT_LIMIT];
  _Alignas(4096) char chunk[LOG_STREAMS][CHUNK_BYTES];
  _Alignas(4096) char input[CHUNK_BYTES];
};

/* Adds a connection; owned from now on, closed if there are too many. Says where it is, or NULL. */
struct client *client_add(struct clients *clients, int fd);
void client_attach(struct client *client, uint32_t streams);
/* It reads no more; what it wrote before may still be worth reading. */
void client_lose(struct client *client);
void client_drop(struct clients *clients, struct client *client);

/* Whether the chunk of `stream` may be replaced. */
bool clients_ready(const struct clients *clients, int stream);
/* Gives the chunk of `stream` to all who want it and sends what goes at once. */
void clients_give(struct clients *clients, int stream, uint32_t bytes);
/* Whether input of clients can be taken. */
bool clients_listen(const struct clients *clients);

/* What to wait for on behalf of `client`. */
struct pollfd client_interest(const struct clients *clients, const struct client *client);
/* Sends what the socket takes. */
void client_send(struct clients *clients, struct client *client);
/* Takes its input, into the buffer if there is somebody to read it. */
void client_listen(struct clients *clients, struct client *client);
/* Everything was said: ends our side. */
void client_end(struct clients *clients, struct client *client);
/* Reads a greeting; true when it is whole and to be answered. Drops what is none. */
bool client_greeting(struct clients *clients, struct client *client);
/* Sends a short answer; drops a client that cannot take it. */
bool client_answer(struct clients *clients, struct client *client, int error, const void *extra, size_t bytes);

#endif
