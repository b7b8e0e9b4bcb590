/* SPDX-License-Identifier: MIT */
#include "wsfand/origin.h"

#include <string.h>

#include "lib/base.h"
#include "tests/unit/unit.h"

static struct slice
slice(const char *text)
{
	return (struct slice){text, strlen(text)};
}

TEST(origin_matching)
{
	static const struct {
		const char *list, *origin, *host;
		bool allowed;
	} cases[] = {
	    {"http://localhost:3000", "http://localhost:3000", "h", true},
	    {"http://localhost:3000", "http://LOCALHOST:3000", "h", true},
	    {"http://localhost:3000", "http://localhost:3001", "h", false},
	    {"http://localhost:3000", "http://localhost", "h", false},
	    {"http://localhost:3000", "https://localhost:3000", "h", false},
	    {"http://a.org,https://b.org", "https://b.org", "h", true},
	    {"http://a.org , https://b.org", "https://b.org:443", "h", true},
	    {"https://b.org:443", "https://b.org", "h", true},
	    {"http://b.org:80", "http://b.org", "h", true},
	    {"https://b.org", "https://b.org:80", "h", false},
	    {"https://*.example.com", "https://a.example.com", "h", true},
	    {"https://*.example.com", "https://a.b.example.com", "h", true},
	    {"https://*.example.com", "https://example.com", "h", false},
	    {"https://*.example.com", "https://.example.com", "h", false},
	    {"https://*.example.com", "https://badexample.com", "h", false},
	    {"https://*.example.com", "https://a.example.com.evil.org", "h", false},
	    {"https://*.example.com", "http://a.example.com", "h", false},
	    {"https://*.example.com", "https://a.example.com:8443", "h", false},
	    {"https://*.example.com:8443", "https://a.example.com:8443", "h", true},
	    {"https://*.example.com", "https://*.example.com", "h", false},
	    {"*", "https://anything", "h", true},
	    {"*", "null", "h", true},
	    {"https://a.org", "null", "h", false},
	    {"null", "null", "h", true},
	    /* the page's own host */
	    {"https://a.org", "http://dash.org", "dash.org", true},
	    {"https://a.org", "http://dash.org", "DASH.org:80", true},
	    {"https://a.org", "https://dash.org", "dash.org", true},
	    {"https://a.org", "https://dash.org", "dash.org:443", true},
	    {"https://a.org", "https://dash.org", "dash.org:8080", false},
	    {"https://a.org", "http://dash.org:8080", "dash.org:8080", true},
	    {"https://a.org", "http://dash.org:8080", "dash.org", false},
	    {"https://a.org", "http://[::1]:8080", "[::1]:8080", true},
	    {"https://a.org", "http://dash.org", "", false},
	    /* what is no origin */
	    {"https://a.org", "", "", false},
	    {"https://a.org", "https://", "h", false},
	    {"https://a.org", "https://a.org/", "h", false},
	    {"https://a.org", "https://a.org@evil.org", "h", false},
	    {"https://a.org", "https://a.org:99999", "h", false},
	    {"https://a.org", "https://a.org:https", "h", false},
	    {"*", "https://a.org:https", "h", true},
	    {"https://a.org", "a.org", "a.org", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (origin_allowed(cases[i].list, slice(cases[i].origin), slice(cases[i].host)) !=
		    cases[i].allowed)
			unit_fail(__FILE__, __LINE__, "list %s, origin %s, host %s", cases[i].list,
			    cases[i].origin, cases[i].host);
	}
}

TEST(origin_lists)
{
	CHECK(origins_check("*") == NULL);
	CHECK(origins_check("null") == NULL);
	CHECK(origins_check("http://a.org,https://*.b.org:8443") == NULL);
	CHECK(origins_check("a.org") != NULL);
	CHECK(origins_check("http://a.org/path") != NULL);
	CHECK(origins_check("http://a.org,") != NULL);
	CHECK(origins_check("http://a*.org") != NULL);
	CHECK(origins_check("http://a.org:http") != NULL);
	CHECK(origins_check("http://[::1]:80") == NULL);
}
