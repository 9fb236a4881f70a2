#include "crypt/hostkey.h"

#include "base/buf.h"
#include "base/octets.h"
#include "crypt/base64.h"
#include "crypt/random.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/md.h>
#include <string.h>

#define HALF_LEN (HOSTKEY_SIGNATURE_LEN / 2)
#define PRIVATE_TEXT_LEN BASE64_LEN(HOSTKEY_PRIVATE_LEN)

static const struct span id_keyword = { (const uint8_t *)"XCRYPT-ID ", 10 };
static const struct span next_keyword = { (const uint8_t *)"XCRYPT-NEXT ", 12 };

_Static_assert(HOSTKEY_TEXT_LEN == BASE64_LEN(HOSTKEY_PUBLIC_LEN) &&
    HOSTKEY_TEXT_LEN == BASE64_LEN(HOSTKEY_SIGNATURE_LEN), "one length for both");
_Static_assert(12 + 2 * HOSTKEY_TEXT_LEN + 1 + 20 + 1 < HOSTKEY_STATEMENT_MAX,
    "a statement has room, and so has the NUL of a number");
_Static_assert(HOSTKEY_TEXT_LEN + 1 + PRIVATE_TEXT_LEN + 1 <= HOSTKEY_FILE_MAX, "and a key");

/* The mbedTLS objects that operations on P-256 need. */
struct curve {
	mbedtls_ecp_group group;
	mbedtls_ecp_point point;
	mbedtls_mpi scalar, r, s;
};

static int
curve_open(struct curve *c)
{
	mbedtls_ecp_group_init(&c->group);
	mbedtls_ecp_point_init(&c->point);
	mbedtls_mpi_init(&c->scalar);
	mbedtls_mpi_init(&c->r);
	mbedtls_mpi_init(&c->s);
	return mbedtls_ecp_group_load(&c->group, MBEDTLS_ECP_DP_SECP256R1) == 0 ? 0 : -1;
}

/* mbedTLS wipes numbers when it frees them. */
static void
curve_close(struct curve *c)
{
	mbedtls_mpi_free(&c->s);
	mbedtls_mpi_free(&c->r);
	mbedtls_mpi_free(&c->scalar);
	mbedtls_ecp_point_free(&c->point);
	mbedtls_ecp_group_free(&c->group);
}

static bool
read_point(struct curve *c, const uint8_t public[HOSTKEY_PUBLIC_LEN])
{
	return mbedtls_ecp_point_read_binary(&c->group, &c->point, public,
	    HOSTKEY_PUBLIC_LEN) == 0 && mbedtls_ecp_check_pubkey(&c->group, &c->point) == 0;
}

static bool
is_point(const uint8_t public[HOSTKEY_PUBLIC_LEN])
{
	struct curve c;
	bool is = curve_open(&c) == 0 && read_point(&c, public);

	curve_close(&c);
	return is;
}

int
hostkey_make(struct hostkey *key)
{
	struct curve c;
	size_t len;
	int rc = -1;

	if (curve_open(&c) == 0 &&
	    mbedtls_ecp_gen_keypair(&c.group, &c.scalar, &c.point, random_mbedtls, NULL) == 0 &&
	    mbedtls_mpi_write_binary(&c.scalar, key->private, HOSTKEY_PRIVATE_LEN) == 0 &&
	    mbedtls_ecp_point_write_binary(&c.group, &c.point, MBEDTLS_ECP_PF_UNCOMPRESSED, &len,
	    key->public, HOSTKEY_PUBLIC_LEN) == 0 && len == HOSTKEY_PUBLIC_LEN)
		rc = 0;
	else
		hostkey_wipe(key);
	curve_close(&c);
	return rc;
}

void
hostkey_wipe(struct hostkey *key)
{
	octets_wipe(key, sizeof(*key));
}

static int
hostkey_hash(uint8_t digest[HOSTKEY_DIGEST_LEN], struct span text)
{
	return mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), text.at, text.len,
	    digest) == 0 ? 0 : -1;
}

int
hostkey_sign(uint8_t signature[HOSTKEY_SIGNATURE_LEN], const struct hostkey *key,
    struct span text)
{
	uint8_t digest[HOSTKEY_DIGEST_LEN];
	struct curve c;
	int rc = -1;

	if (curve_open(&c) == 0 && hostkey_hash(digest, text) == 0 &&
	    mbedtls_mpi_read_binary(&c.scalar, key->private, HOSTKEY_PRIVATE_LEN) == 0 &&
	    mbedtls_ecp_check_privkey(&c.group, &c.scalar) == 0 &&
	    mbedtls_ecdsa_sign_det_ext(&c.group, &c.r, &c.s, &c.scalar, digest, sizeof(digest),
	    MBEDTLS_MD_SHA256, random_mbedtls, NULL) == 0 &&
	    mbedtls_mpi_write_binary(&c.r, signature, HALF_LEN) == 0 &&
	    mbedtls_mpi_write_binary(&c.s, signature + HALF_LEN, HALF_LEN) == 0)
		rc = 0;
	curve_close(&c);
	/* peers would report a bad signature as a changed key */
	if (rc == 0 && !hostkey_verify(signature, key->public, text))
		rc = -1;
	return rc;
}

bool
hostkey_verify(const uint8_t signature[HOSTKEY_SIGNATURE_LEN],
    const uint8_t public[HOSTKEY_PUBLIC_LEN], struct span text)
{
	uint8_t digest[HOSTKEY_DIGEST_LEN];
	struct curve c;
	bool good = curve_open(&c) == 0 && hostkey_hash(digest, text) == 0 &&
	    read_point(&c, public) &&
	    mbedtls_mpi_read_binary(&c.r, signature, HALF_LEN) == 0 &&
	    mbedtls_mpi_read_binary(&c.s, signature + HALF_LEN, HALF_LEN) == 0 &&
	    mbedtls_ecdsa_verify(&c.group, digest, sizeof(digest), &c.point, &c.r, &c.s) == 0;

	curve_close(&c);
	return good;
}

static void
put_base64(struct buf *out, const uint8_t *octets, size_t len)
{
	char text[HOSTKEY_TEXT_LEN];

	buf_put(out, span(text, base64_encode(text, octets, len)));
	octets_wipe(text, sizeof(text));
}

void
hostkey_put_public(char text[HOSTKEY_TEXT_LEN], const uint8_t public[HOSTKEY_PUBLIC_LEN])
{
	base64_encode(text, public, HOSTKEY_PUBLIC_LEN);
}

bool
hostkey_get_public(uint8_t public[HOSTKEY_PUBLIC_LEN], struct span text)
{
	return base64_decode(public, HOSTKEY_PUBLIC_LEN, text) && is_point(public);
}

size_t
hostkey_put_file(char text[HOSTKEY_FILE_MAX], const struct hostkey *key)
{
	struct buf out;

	buf_init(&out, text, HOSTKEY_FILE_MAX);
	put_base64(&out, key->public, sizeof(key->public));
	buf_put(&out, SPAN(" "));
	put_base64(&out, key->private, sizeof(key->private));
	buf_put(&out, SPAN("\n"));
	return buf_len(&out);
}

bool
hostkey_get_file(struct hostkey *key, struct span text)
{
	struct span public = span(text.at, HOSTKEY_TEXT_LEN);
	struct span private = span(text.at + HOSTKEY_TEXT_LEN + 1, PRIVATE_TEXT_LEN);

	if (text.len == HOSTKEY_TEXT_LEN + 1 + PRIVATE_TEXT_LEN + 1 &&
	    text.at[HOSTKEY_TEXT_LEN] == ' ' && text.at[text.len - 1] == '\n' &&
	    base64_decode(key->public, HOSTKEY_PUBLIC_LEN, public) &&
	    base64_decode(key->private, HOSTKEY_PRIVATE_LEN, private))
		return true;
	hostkey_wipe(key);
	return false;
}

/* The signed text of XCRYPT-ID: "XCRYPT ID", 0, short key, 0, until. */
static void
put_id_text(struct buf *out, const uint8_t short_public[HOSTKEY_SHORT_LEN], int64_t until_s)
{
	buf_put(out, SPAN("XCRYPT ID\0"));
	buf_put(out, span(short_public, HOSTKEY_SHORT_LEN));
	buf_put(out, SPAN("\0"));
	buf_printf(out, "%lld", (long long)until_s);
}

/* The signed text of XCRYPT-NEXT: "XCRYPT NEXT", 0, short key, 0, until, 0, next host key. */
static void
put_next_text(struct buf *out, const struct hostkey_next *next)
{
	buf_put(out, SPAN("XCRYPT NEXT\0"));
	buf_put(out, span(next->short_public, HOSTKEY_SHORT_LEN));
	buf_put(out, SPAN("\0"));
	buf_printf(out, "%lld", (long long)next->until_s);
	buf_put(out, SPAN("\0"));
	buf_put(out, span(next->public, HOSTKEY_PUBLIC_LEN));
}

int
hostkey_sign_id(struct hostkey_id *id, const struct hostkey *key,
    const uint8_t short_public[HOSTKEY_SHORT_LEN], int64_t until_s)
{
	uint8_t mem[96];
	struct buf text;

	buf_init(&text, mem, sizeof(mem));
	put_id_text(&text, short_public, until_s);
	memcpy(id->public, key->public, sizeof(id->public));
	id->until_s = until_s;
	return hostkey_sign(id->signature, key, buf_peek(&text));
}

bool
hostkey_verify_id(const struct hostkey_id *id, const uint8_t short_public[HOSTKEY_SHORT_LEN])
{
	uint8_t mem[96];
	struct buf text;

	buf_init(&text, mem, sizeof(mem));
	put_id_text(&text, short_public, id->until_s);
	return hostkey_verify(id->signature, id->public, buf_peek(&text));
}

bool
hostkey_in_time(int64_t until_s, int64_t now_s)
{
	return now_s - HOSTKEY_ALLOWANCE_S <= until_s;
}

int
hostkey_sign_next(struct hostkey_next *next, const struct hostkey *key,
    const uint8_t short_public[HOSTKEY_SHORT_LEN], int64_t until_s,
    const uint8_t next_public[HOSTKEY_PUBLIC_LEN])
{
	uint8_t mem[160];
	struct buf text;

	memcpy(next->public, next_public, sizeof(next->public));
	memcpy(next->short_public, short_public, sizeof(next->short_public));
	next->until_s = until_s;
	buf_init(&text, mem, sizeof(mem));
	put_next_text(&text, next);
	return hostkey_sign(next->signature, key, buf_peek(&text));
}

bool
hostkey_verify_next(const struct hostkey_next *next, const uint8_t public[HOSTKEY_PUBLIC_LEN])
{
	uint8_t mem[160];
	struct buf text;

	buf_init(&text, mem, sizeof(mem));
	put_next_text(&text, next);
	return hostkey_verify(next->signature, public, buf_peek(&text));
}

size_t
hostkey_put_id(char text[HOSTKEY_STATEMENT_MAX], const struct hostkey_id *id)
{
	struct buf out;

	buf_init(&out, text, HOSTKEY_STATEMENT_MAX);
	buf_put(&out, id_keyword);
	put_base64(&out, id->public, sizeof(id->public));
	buf_printf(&out, " %lld ", (long long)id->until_s);
	put_base64(&out, id->signature, sizeof(id->signature));
	return buf_len(&out);
}

static bool
get_time(int64_t *time_s, struct span text)
{
	uint64_t number;

	if (!span_number(text, INT64_MAX, &number) || (text.len > 1 && text.at[0] == '0'))
		return false;
	*time_s = (int64_t)number;
	return true;
}

bool
hostkey_get_id(struct hostkey_id *id, struct span text)
{
	struct span rest = span_from(text, id_keyword.len), key, until, signature;

	return span_starts_nocase(text, id_keyword) && span_word(&rest, ' ', &key) &&
	    span_word(&rest, ' ', &until) && span_word(&rest, ' ', &signature) && rest.at == NULL &&
	    get_time(&id->until_s, until) &&
	    base64_decode(id->signature, sizeof(id->signature), signature) &&
	    hostkey_get_public(id->public, key);
}

size_t
hostkey_put_next(char text[HOSTKEY_STATEMENT_MAX], const struct hostkey_next *next)
{
	struct buf out;

	buf_init(&out, text, HOSTKEY_STATEMENT_MAX);
	buf_put(&out, next_keyword);
	put_base64(&out, next->public, sizeof(next->public));
	buf_printf(&out, " %lld ", (long long)next->until_s);
	put_base64(&out, next->signature, sizeof(next->signature));
	return buf_len(&out);
}

bool
hostkey_get_next(struct hostkey_next *next, struct span text)
{
	struct span rest = span_from(text, next_keyword.len), key, until, signature;

	return span_starts_nocase(text, next_keyword) && span_word(&rest, ' ', &key) &&
	    span_word(&rest, ' ', &until) && span_word(&rest, ' ', &signature) &&
	    rest.at == NULL && get_time(&next->until_s, until) &&
	    base64_decode(next->signature, sizeof(next->signature), signature) &&
	    hostkey_get_public(next->public, key);
}

int
hostkey_digest(uint8_t digest[HOSTKEY_DIGEST_LEN], struct span id, struct span next)
{
	uint8_t mem[2 * HOSTKEY_STATEMENT_MAX + 1];
	struct buf text;

	buf_init(&text, mem, sizeof(mem));
	/* longer lines cannot be statements */
	if (!buf_put(&text, id) || !buf_put(&text, SPAN("\n")) || !buf_put(&text, next))
		return -1;
	return hostkey_hash(digest, buf_peek(&text));
}
