/* SPDX-License-Identifier: MIT */
/* estate_record: the records of an estate as structs, made from estate_record.def. Numbers that say
 * how long something still has to wait are microseconds and 1 more; 0: it does not wait. Who is
 * referred to (a message, a room) is named by its place among its like, from 1; 0: none; and it
 * stands before who refers to it. Pure. */
#ifndef WSFAND_ESTATE_RECORD_H
#define WSFAND_ESTATE_RECORD_H

#include "wsfand/estate.h"

#define RECORD(name, tag) struct estate_##name {
#define NUMBER(record, tag, field, most) uint64_t field;
#define BYTES(record, tag, field, least, most) struct estate_bytes field;
#define END(name) \
	}         \
	;
#include "wsfand/estate_record.def"
#undef RECORD
#undef NUMBER
#undef BYTES
#undef END

#define NUMBER(record, tag, field, most)
#define BYTES(record, tag, field, least, most)
#define END(name)

enum estate_kind {
#define RECORD(name, tag) ESTATE_##name,
#include "wsfand/estate_record.def"
#undef RECORD
	ESTATE_KINDS
};

struct estate_record {
	enum estate_kind kind;
	union {
#define RECORD(name, tag) struct estate_##name name;
#include "wsfand/estate_record.def"
#undef RECORD
	};
};

#undef NUMBER
#undef BYTES
#undef END

void estate_put_record(struct estate_writer *writer, const struct estate_record *record);
/* The next record of those that are known; its bytes are the estate's own. 1; 0: there is none;
 * -1: the estate is broken or of somebody newer, *problem (a literal) says how. */
MUST_CHECK int estate_read_record(
    struct estate_bytes *rest, struct estate_record *record, const char **problem);

#endif
