#define _GNU_SOURCE
#include "attach.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct client *client_add(struct clients *clients, int fd) {
  uint32_t place = 0;
  while (place < clients->count && clients->all[place].fd >= 0) place++;
  if (place == CLIENT_LIMIT) {
    close(fd);
    return NULL;
  }
  if (place == clients->count) clients->count++;
  clients->all[place] = (struct client){.fd = fd, .input = true};
  return &clients->all[place];
}

void client_attach(struct client *client, uint32_t streams) {
  const int bytes = CLIENT_BUFFER_BYTES / 2; /* the kernel doubles it */
  setsockopt(client->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes); /* EPERM: the usual size will do */
  client->state = CLIENT_ATTACHED;
  client->streams = (uint8_t)streams;
}

/* One that could write to stdin has ended its input. */
static void end_input(struct clients *clients, struct client *client) {
  client->input = false;
  if (client->state == CLIENT_ATTACHED && (client->streams & TAPE_STDIN) != 0 && clients->input_once)
    clients->input_open = false; /* what is in the buffer still goes */
}

void client_drop(struct clients *clients, struct client *client) {
  if (client->input) end_input(clients, client);
  close(client->fd);
  client->fd = -1;
  while (clients->count > 0 && clients->all[clients->count - 1].fd < 0) clients->count--;
}

void client_lose(struct client *client) {
  client->gone = true;
  client->pending = client->sending = 0;
  client->sent = 0;
}

static bool wants(const struct client *client, int stream) {
  return client->fd >= 0 && client->state == CLIENT_ATTACHED && !client->gone &&
         (client->streams & (stream == LOG_STDOUT ? TAPE_STDOUT : TAPE_STDERR)) != 0;
}

bool clients_ready(const struct clients *clients, int stream) {
  for (uint32_t i = 0; i < clients->count; i++)
    if (clients->all[i].fd >= 0 && (clients->all[i].pending & 1 << stream) != 0) return false;
  return true;
}

void clients_give(struct clients *clients, int stream, uint32_t bytes) {
  clients->bytes[stream] = bytes;
  for (uint32_t i = 0; i < clients->count; i++) {
    struct client *client = &clients->all[i];
    if (!wants(client, stream)) continue;
    client->pending |= (uint8_t)(1 << stream);
    client_send(clients, client);
  }
}

/* The frame under way or the next one; -1: nothing is pending. */
static int next_frame(const struct client *client) {
  if (client->sending != 0) return client->sending - 1;
  for (int stream = 0; stream < LOG_STREAMS; stream++)
    if ((client->pending & 1 << stream) != 0) return stream;
  return -1;
}

/* Sends the rest of a frame: 0 all of it, or -errno. */
static int send_frame(const struct clients *clients, struct client *client, int stream) {
  uint32_t bytes = clients->bytes[stream];
  uint32_t before = clients->frames ? FRAME_HEADER_BYTES : 0;
  uint8_t header[FRAME_HEADER_BYTES] = {(uint8_t)(stream + 1), 0, 0, 0, (uint8_t)(bytes >> 24), (uint8_t)(bytes >> 16),
                                        (uint8_t)(bytes >> 8), (uint8_t)bytes};
  while (client->sent < before + bytes) {
    struct iovec parts[2];
    size_t count = 0;
    uint32_t done = client->sent > before ? client->sent - before : 0;
    if (client->sent < before) parts[count++] = (struct iovec){header + client->sent, before - client->sent};
    parts[count++] = (struct iovec){(char *)(uintptr_t)clients->chunk[stream] + done, bytes - done};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t n = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    client->sent += (uint32_t)n;
  }
  return 0;
}

void client_send(struct clients *clients, struct client *client) {
  for (int stream; (stream = next_frame(client)) >= 0;) {
    client->sending = (uint8_t)(stream + 1);
    int rc = send_frame(clients, client, stream);
    if (rc == -EAGAIN) return;
    if (rc < 0) {
      client_lose(client);
      return;
    }
    client->pending &= (uint8_t)~(1 << stream);
    client->sending = 0;
    client->sent = 0;
  }
}

bool clients_listen(const struct clients *clients) { return clients->input_bytes == 0; }

struct pollfd client_interest(const struct clients *clients, const struct client *client) {
  struct pollfd interest = {.fd = client->fd};
  if (client->fd < 0) return interest;
  bool listens = client->input && (client->state != CLIENT_ATTACHED || clients_listen(clients));
  if (listens) interest.events |= POLLIN;
  if (client->pending != 0) interest.events |= POLLOUT;
  if (client->gone && !listens) interest.fd = -1; /* POLLHUP would come again and again */
  return interest;
}

void client_listen(struct clients *clients, struct client *client) {
  bool kept = clients->input_open && client->state == CLIENT_ATTACHED && (client->streams & TAPE_STDIN) != 0;
  char waste[4096];
  ssize_t n = recv(client->fd, kept ? clients->input : waste, kept ? CHUNK_BYTES : sizeof waste, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    end_input(clients, client);
    if (client->gone || client->state == CLIENT_ENDING) client_drop(clients, client);
    return;
  }
  if (kept) {
    clients->input_bytes = (uint32_t)n;
    clients->input_done = 0;
  }
}

void client_end(struct clients *clients, struct client *client) {
  if (client->gone || !client->input) {
    client_drop(clients, client);
    return;
  }
  client->state = CLIENT_ENDING;
  shutdown(client->fd, SHUT_WR);
}

bool client_greeting(struct clients *clients, struct client *client) {
  size_t missing = sizeof client->hello - client->heard;
  ssize_t n = recv(client->fd, (char *)&client->hello + client->heard, missing, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n > 0) client->heard = (uint8_t)(client->heard + n);
  if (n <= 0 || (client->heard == sizeof client->hello && client->hello.magic != TAPE_MAGIC)) {
    client_drop(clients, client);
    return false;
  }
  if (client->heard < sizeof client->hello) return false;
  client->heard = 0;
  return true;
}

bool client_answer(struct clients *clients, struct client *client, int error, const void *extra, size_t bytes) {
  struct tape_answer answer = {TAPE_MAGIC, error};
  struct iovec parts[2] = {{&answer, sizeof answer}, {(void *)(uintptr_t)extra, bytes}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = bytes > 0 ? 2 : 1};
  ssize_t n = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n == (ssize_t)(sizeof answer + bytes)) return true;
  client_drop(clients, client);
  return false;
}
