#include "crypt/random.h"

#include <errno.h>
#include <mbedtls/entropy.h>
#include <sys/random.h>

int
random_octets(void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		at += got;
		len -= (size_t)got;
	}
	return 0;
}

int
random_mbedtls(void *context, unsigned char *out, size_t len)
{
	(void)context;
	return random_octets(out, len) == 0 ? 0 : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}
