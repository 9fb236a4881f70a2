#include "honest.h"

#include "stage.h"

#include <string.h>

enum { EXCHANGES = 4, HOSTS = 2 };

struct host_keys {
	enum host host;
	enum kept kept;
	const struct suite_list *offered;
	struct hybrid_kept new;		/* left by a first meeting */
	bool has_new;
};

static struct host_keys all_keys[HOSTS];

/*
 * Slow computations are done once and are the same for every input: they do not depend on what
 * came before.
 */
static struct {
	const struct kex *x;
	struct kex_pair pair[HOSTS];
	struct agreement shared[HOSTS];
} made[EXCHANGES];

static size_t
made_for(const struct kex *x)
{
	size_t i = 0;

	while (made[i].x != x && made[i].x != NULL)
		i++;
	assert(i < EXCHANGES);
	if (made[i].x == x)
		return i;
	uint64_t seed = fixed_start(x->version);
	made[i].x = x;
	for (size_t host = 0; host < HOSTS; host++)
		assert(x->pair(&made[i].pair[host]) == 0);
	for (size_t host = 0; host < HOSTS && x->cached; host++) {
		struct agreement *a = &made[i].shared[host];

		a->own = &made[i].pair[host];
		memcpy(a->peer_public, made[i].pair[1 - host].public, x->public_len);
		assert(x->agree(a) == 0);
	}
	fixed_start(seed);
	return i;
}

static const struct kex_pair *
own(void *context, const struct kex *x)
{
	const struct host_keys *keys = context;

	return &made[made_for(x)].pair[keys->host];
}

static bool
find(void *context, const struct kex *x, const uint8_t *peer_public, uint8_t *secret)
{
	const struct host_keys *keys = context;
	const struct agreement *shared = &made[made_for(x)].shared[keys->host];

	if (keys->kept == KEPT_NOTHING ||
	    memcmp(shared->peer_public, peer_public, x->public_len) != 0)
		return false;
	memcpy(secret, shared->secret, x->secret_len);
	secret[0] ^= keys->kept == KEPT_WRONG;
	return true;
}

static void
keep(void *context, const struct kex *x, const uint8_t *peer_public, const uint8_t *secret)
{
	const struct host_keys *keys = context;
	const struct agreement *shared = &made[made_for(x)].shared[keys->host];

	/* no wrong secret is ever cached for the other host */
	if (memcmp(shared->peer_public, peer_public, x->public_len) == 0)
		assert(memcmp(shared->secret, secret, x->secret_len) == 0);
}

/* A pre-shared secret that both have. */
static void
put_kept(const struct host_keys *keys, enum host server, struct hybrid_kept *kept)
{
	memset(kept->id, 0x1d, sizeof(kept->id));
	memset(kept->secret, 0x5e, sizeof(kept->secret));
	kept->secret[0] ^= keys->kept == KEPT_WRONG;
	memcpy(kept->server, made[made_for(&kex_hybrid)].pair[server].public,
	    sizeof(kept->server));
}

static unsigned
keep_s(void *context, const struct kex *x)
{
	(void)context;
	assert(x == &kex_hybrid);
	return 7200;
}

static bool
find_id(void *context, struct hybrid_kept *kept)
{
	const struct host_keys *keys = context;
	struct hybrid_kept ours;

	put_kept(keys, keys->host, &ours);
	if (keys->kept == KEPT_NOTHING || memcmp(ours.id, kept->id, sizeof(ours.id)) != 0)
		return false;
	*kept = ours;
	return true;
}

static void
used_id(void *context, const struct hybrid_kept *kept)
{
	struct hybrid_kept ours = *kept;

	assert(find_id(context, &ours) && memcmp(&ours, kept, sizeof(ours)) == 0);
}

static void
keep_new(struct host_keys *keys, const struct hybrid_kept *kept)
{
	assert(!keys->has_new);
	keys->new = *kept;
	keys->has_new = true;
}

static void
keep_id(void *context, const struct hybrid_kept *kept)
{
	keep_new(context, kept);
}

static bool
find_host(void *context, struct hybrid_kept *kept, uint8_t *offer, size_t room,
    size_t *offer_len)
{
	const struct host_keys *keys = context;
	struct handshake server;

	if (keys->kept == KEPT_NOTHING)
		return false;
	put_kept(keys, 1 - keys->host, kept);
	handshake_start(&server, true, keys->offered, (struct key_source){ 0 });
	struct span line = handshake_offer(&server);
	assert(line.len <= room);
	memcpy(offer, line.at, line.len);
	*offer_len = line.len;
	return true;
}

static void
keep_host(void *context, const struct hybrid_kept *kept, struct span offer, unsigned seconds)
{
	assert(span_starts_nocase(offer, SPAN("XCRYPT ")) && seconds > 0 &&
	    seconds <= HYBRID_KEEP_MAX);
	keep_new(context, kept);
}

static void
forget_host(void *context)
{
	struct host_keys *keys = context;

	keys->kept = KEPT_NOTHING;
}

static bool
is_own(void *context, const uint8_t *server_public)
{
	return memcmp(own(context, &kex_hybrid)->public, server_public, X25519_LEN) == 0;
}

struct key_source
honest_keys(enum host host, enum kept kept, const struct suite_list *offered)
{
	all_keys[host] = (struct host_keys){ .host = host, .kept = kept, .offered = offered };
	return (struct key_source){
		.context = &all_keys[host],
		.own = own,
		.find = find,
		.keep = keep,
		.keep_s = keep_s,
		.find_id = find_id,
		.keep_id = keep_id,
		.used_id = used_id,
		.find_host = find_host,
		.keep_host = keep_host,
		.forget_host = forget_host,
		.is_own = is_own,
	};
}

const struct hybrid_kept *
honest_has_kept(enum host host)
{
	return all_keys[host].has_new ? &all_keys[host].new : NULL;
}

void
honest_suites(struct suite_list *list, const char *names)
{
	struct span rest = span_of(names), name;

	list->count = 0;
	while (span_word(&rest, ' ', &name)) {
		const struct suite *suite = suite_find(name);

		if (suite != NULL)
			list->at[list->count++] = suite;
	}
}

void
honest_start(struct honest *h, bool server, const struct suite_list *suites)
{
	h->step = 0;
	h->server = server;
	h->agreed = false;
	handshake_start(&h->handshake, server, suites, honest_keys(HOST_HONEST, KEPT_RIGHT, suites));
}

void
honest_wipe(struct honest *h)
{
	handshake_wipe(&h->handshake);
}

/* A received line as a reply; NULL if it is not one. */
static const struct reply *
reply_of(struct span line)
{
	static struct reply reply;
	uint8_t mem[XCRYPT_LINE_MAX + 2];
	struct buf in;

	buf_init(&in, mem, sizeof(mem));
	reply_start(&reply);
	if (!buf_put(&in, line) || !buf_put(&in, SPAN("\r\n")) ||
	    reply_take(&reply, &in) != REPLY_WHOLE)
		return NULL;
	return &reply;
}

static bool
client_answered(struct honest *h, const struct reply *reply, struct buf *out)
{
	switch (handshake_take_answer(&h->handshake, reply)) {
	case VERDICT_UNKNOWN_ID:
		h->step = 1;
		return handshake_propose(&h->handshake, out) == 0;
	case VERDICT_ENCRYPTED:
		h->agreed = true;
		h->step = 3;
		return false;
	case VERDICT_GOOD:
		return handshake_compute(&h->handshake) == 0 &&
		    handshake_put_ok(&h->handshake, out) == 0;
	default:
		return false;
	}
}

static bool
client_says(struct honest *h, struct span line, struct buf *out)
{
	const struct reply *reply = reply_of(line);

	if (reply == NULL)
		return false;
	switch (h->step++) {
	case 0:
		return handshake_choose(&h->handshake, span_from(line, 4)) &&
		    handshake_propose(&h->handshake, out) == 0;
	case 1:
		return h->handshake.agreement.suite != NULL && client_answered(h, reply, out);
	case 2:
		h->agreed = h->handshake.computed &&
		    handshake_take_ok_reply(&h->handshake, reply) == VERDICT_GOOD;
		return false;
	default:
		return false;
	}
}

static bool
server_says(struct honest *h, struct span line, struct span keyword, struct buf *out)
{
	switch (h->step++) {
	case 0:
		buf_put(out, SPAN("250-mx.b.example\r\n250-"));
		if (keyword.len > 0 && buf_put(out, keyword))
			buf_put(out, SPAN("\r\n250-"));
		/* the last one's separator is a space */
		out->mem[out->tail - 1] = ' ';
		return buf_put(out, handshake_offer(&h->handshake)) && buf_put(out, SPAN("\r\n"));
	case 1:
		switch (handshake_answer(&h->handshake, line, out)) {
		case HANDSHAKE_AGREED:
			return handshake_compute(&h->handshake) == 0;
		case HANDSHAKE_UNKNOWN_ID:
			h->step = 1;
			return true;
		case HANDSHAKE_ENCRYPTED:
			h->agreed = true;
			h->step = 3;
			return true;
		default:
			return true;
		}
	case 2:
		if (h->handshake.agreement.suite == NULL)
			return false;
		if (handshake_next(line) == HANDSHAKE_OK)
			h->agreed = handshake_take_ok(&h->handshake, line, out);
		else
			buf_put(out, SPAN("250 XCRYPT FAIL\r\n"));
		return true;
	default:
		return false;
	}
}

bool
honest_says(struct honest *h, struct span heard, struct span keyword, struct buf *out)
{
	struct span line = stage_last_line(heard), said;

	while (h->server && stage_line(&heard, &said))
		if (span_starts(said, SPAN("EHLO ")))
			handshake_hello(&h->handshake, said);
	return h->server ? server_says(h, line, keyword, out) : client_says(h, line, out);
}

bool
honest_same_keys(const struct agreement *a, const struct agreement *b)
{
	return a->suite == b->suite && memcmp(a->key_ab, b->key_ab, sizeof(a->key_ab)) == 0 &&
	    memcmp(a->key_ba, b->key_ba, sizeof(a->key_ba)) == 0 &&
	    memcmp(a->iv_ab, b->iv_ab, sizeof(a->iv_ab)) == 0 &&
	    memcmp(a->iv_ba, b->iv_ba, sizeof(a->iv_ba)) == 0;
}
