/* SPDX-License-Identifier: MIT */
#include "statsd/answer.h"

#include "lib/json_write.h"

void
answer_init(struct answer *answer)
{
	*answer = (struct answer){
	    .status = 200,
	    .type = "application/json",
	    .cache = "no-store",
	};
	buf_init(&answer->body, ANSWER_MAX);
}

void
answer_free(struct answer *answer)
{
	buf_free(&answer->body);
}

void
answer_error(struct answer *answer, unsigned status, const char *error)
{
	struct json_writer w;
	answer_free(answer);
	answer_init(answer);
	answer->status = status;
	json_write_begin(&w, &answer->body);
	json_object_begin(&w);
	json_key(&w, "error");
	json_put_string(&w, error);
	json_object_end(&w);
	if (json_write_end(&w) < 0)
		buf_clear(&answer->body);
}
