# Tests.  A unit test is regress/{unit,wire}/NAME_test.c, linked with all
# libraries of ours; it finds its data through the variable srcdir.

TEST_SRC := $(wildcard regress/unit/*_test.c regress/wire/*_test.c)
TEST_BIN := $(patsubst %.c,$(B)/%,$(TEST_SRC))
TEST_HELP := $(call objects,regress/lib)

.PHONY: tests
tests: $(TEST_BIN)

$(TEST_BIN): $(B)/%: $(B)/obj/%.o $(TEST_HELP) $(LIBCORE) $(LIBPRIVSEP) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(call pc-libs,atf-c) \
	    $(CRYPTO_LIBS) $(HTTP_LIBS) $(JSON_LIBS) $(BSD_LIBS)
