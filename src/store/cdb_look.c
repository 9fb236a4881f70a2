#include "store/cdb_look.h"

#include "store/entry.h"

#include <cdb.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PAIR_LEN 8		/* two numbers of 4 octets, little-endian */
#define SLOTS 32		/* hash table slots read at once */

static int
read_at(int fd, uint8_t *out, size_t len, size_t at)
{
	while (len > 0) {
		ssize_t got = pread(fd, out, len, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EBADMSG;
		if (got <= 0)
			return -1;
		out += got;
		at += (size_t)got;
		len -= (size_t)got;
	}
	return 0;
}

/* Compares the key of the record at `at` and reads its value.  Returns as cdb_look() does. */
static int
cdb_look_read_record(int fd, size_t at, struct span key, uint8_t *value, size_t room, size_t *len)
{
	uint8_t head[PAIR_LEN], there[ENTRY_KEY_MAX];

	if (read_at(fd, head, sizeof(head), at) < 0)
		return -1;
	if (cdb_unpack(head) != key.len || key.len > sizeof(there))
		return 0;
	if (read_at(fd, there, key.len, at + PAIR_LEN) < 0)
		return -1;
	if (memcmp(there, key.at, key.len) != 0)
		return 0;
	*len = cdb_unpack(head + 4);
	if (*len > room) {
		errno = EBADMSG;
		return -1;
	}
	return read_at(fd, value, *len, at + PAIR_LEN + key.len) < 0 ? -1 : 1;
}

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

int
cdb_look(int fd, struct span key, uint8_t *value, size_t room, size_t *len)
{
	uint8_t head[PAIR_LEN], slots[SLOTS * PAIR_LEN];
	unsigned hash = cdb_hash(key.at, (unsigned)key.len);

	/* one of 256 tables, by the hash's low octet; a slot is a hash and a record's offset */
	if (read_at(fd, head, sizeof(head), hash % 256 * PAIR_LEN) < 0)
		return -1;
	size_t table = cdb_unpack(head), count = cdb_unpack(head + 4), probes = 0;
	size_t slot = count > 0 ? (hash >> 8) % count : 0;
	while (probes < count && probes < CDB_LOOK_PROBES) {
		size_t n = least(SLOTS, count - slot, count - probes);

		if (read_at(fd, slots, n * PAIR_LEN, table + slot * PAIR_LEN) < 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			const uint8_t *each = slots + i * PAIR_LEN;
			size_t at = cdb_unpack(each + 4);

			if (at == 0)
				return 0;
			int found = cdb_unpack(each) != hash ? 0 :
			    cdb_look_read_record(fd, at, key, value, room, len);
			if (found != 0)
				return found;
		}
		probes += n;
		slot = (slot + n) % count;
	}
	/* a regular table has free slots, so the search would have met one */
	errno = EBADMSG;
	return count == 0 ? 0 : -1;
}
