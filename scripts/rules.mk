# The host's end of the lab VM. Included by the top-level Makefile.

VM_PRODUCTS := $(B)/bin/vm-client

$(B)/bin/vm-client: scripts/vm-client.c rootfs/wire.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -o $@ $<
