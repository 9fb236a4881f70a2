/*
 * The local mailer of the crash campaign: receive FOLDER QUEUE-ID USER.
 *
 * Reads a message from standard input, compares its body with the checksum in the body's first
 * line, "name checksum", and adds a line to FOLDER/deliveries: queue id, name, and "good" or
 * "damaged".  A damaged message is kept in FOLDER.
 */
#include "base/span.h"

#include <fcntl.h>
#include <mbedtls/md.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MESSAGE_MAX (8u << 20)
#define DIGEST_LEN 32
#define NAME_MAX_LEN 64

static uint8_t message[MESSAGE_MAX];

static size_t
read_message(void)
{
	size_t len = 0;
	ssize_t got;

	while ((got = read(STDIN_FILENO, message + len, MESSAGE_MAX - len)) > 0)
		len += (size_t)got;
	if (got < 0 || len == MESSAGE_MAX)
		exit(EX_TEMPFAIL);
	return len;
}

/* The name in the first line of the body, and whether its checksum is that of the lines below. */
static bool
good(struct span body, char name[NAME_MAX_LEN])
{
	uint8_t digest[DIGEST_LEN];
	char sum[2 * DIGEST_LEN + 1];
	struct span line, word;
	const uint8_t *end = memchr(body.at, '\n', body.len);

	if (end == NULL)
		return false;
	line = span(body.at, (size_t)(end - body.at));
	if (!span_word(&line, ' ', &word) || word.len >= NAME_MAX_LEN)
		return false;
	snprintf(name, NAME_MAX_LEN, "%.*s", (int)word.len, (const char *)word.at);
	body = span_from(body, (size_t)(end - body.at) + 1);
	if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), body.at, body.len, digest) !=
	    0)
		exit(EX_TEMPFAIL);
	for (size_t i = 0; i < DIGEST_LEN; i++)
		snprintf(sum + 2 * i, 3, "%02x", digest[i]);
	return span_equal(line, span_of(sum));
}

static void
put(const char *folder, const char *name, int flags, struct span octets)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
	if (fd < 0 || write(fd, octets.at, octets.len) != (ssize_t)octets.len || close(fd) < 0)
		exit(EX_TEMPFAIL);
}

int
main(int argc, char *argv[])
{
	char name[NAME_MAX_LEN] = "?", line[256];

	if (argc != 4)
		return EX_USAGE;
	size_t len = read_message();
	const uint8_t *body = memmem(message, len, "\n\n", 2);
	bool whole = body != NULL && good(span(body + 2, len - (size_t)(body + 2 - message)), name);

	if (!whole)
		put(argv[1], argv[2], O_TRUNC, span(message, len));
	snprintf(line, sizeof(line), "%s %s %s\n", argv[2], name, whole ? "good" : "damaged");
	put(argv[1], "deliveries", O_APPEND, span_of(line));
	return 0;
}
