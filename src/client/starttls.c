#include "client/starttls.h"

#include "base/log.h"
#include "crypt/tls.h"
#include "sys/address.h"

#include <fcntl.h>
#include <mbedtls/version.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOTS "/etc/ssl/certs/ca-certificates.crt"
#define ROOTS_MAX (4 << 20)

static struct tls tls;
static int roots_fd = -1;
static uint8_t *roots;		/* PEM, NUL-terminated; never freed */
static size_t roots_len;
static bool strict;

void
starttls_strict(bool required)
{
	strict = required;
}

/* Only opens the file: few sessions need the certificates, which take hundreds of kilobytes. */
void
starttls_prepare(void)
{
	roots_fd = open(ROOTS, O_RDONLY | O_CLOEXEC);
}

void
starttls_done(void)
{
	if (roots_fd >= 0)
		close(roots_fd);
	roots_fd = -1;
}

static void
read_roots(void)
{
	struct stat st;

	if (roots_fd < 0)
		return;
	if (fstat(roots_fd, &st) == 0 && st.st_size > 0 && st.st_size < ROOTS_MAX)
		roots = malloc((size_t)st.st_size + 1);
	if (roots != NULL && read(roots_fd, roots, (size_t)st.st_size) == (ssize_t)st.st_size) {
		roots[st.st_size] = '\0';
		roots_len = (size_t)st.st_size + 1;
	}
	starttls_done();
}

int
starttls_begin(const char *host, const struct layer **layer, void **state)
{
	if (roots == NULL)
		read_roots();
	*layer = &tls_layer;
	*state = &tls;
	/* no SNI for an address (RFC 6066 section 3), and certificates do not name it */
	if (address_read(&(struct address){ .len = 0 }, span_of(host), 0) == 0)
		host = NULL;
	return tls_start(&tls, host, roots_len > 0 ? roots : NULL, roots_len, strict);
}

const mbedtls_x509_crt *
starttls_chain(void)
{
	return tls.started ? tls_peer_chain(&tls) : NULL;
}

bool
starttls_is_verified(void)
{
	return tls.started && tls_is_verified(&tls);
}

const char *
starttls_certificate(void)
{
	return tls_certificate(&tls);
}

void
starttls_log(struct buf *line)
{
	char text[128];

	tls_describe(&tls, text, sizeof(text));
	log_pair(line, "tls", span_of(text));
	buf_printf(line, " certificate=%s", tls_certificate(&tls));
}

void
starttls_report(struct buf *out)
{
	char text[128];

	tls_describe(&tls, text, sizeof(text));
	if (tls.version_refused)
		buf_printf(out, "tls=%s (mbedTLS %s)\n", TLS_FAULT_VERSION, MBEDTLS_VERSION_STRING);
	else if (text[0] != '\0')
		buf_printf(out, "tls=%s\ncertificate=%s\n", text, tls_certificate(&tls));
}
