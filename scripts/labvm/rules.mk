# The lab VM: its first process, its tools, and the host's end of it. What it boots from is made of them
# when it is needed (scripts/labvm/image). Included by the top-level Makefile.

CLIENT         := $(wildcard scripts/labvm/client/*.c)
LABVM_PRODUCTS := $(B)/labvm/tools $(B)/labvm/client

# Static, because it runs before any library is mounted. STATIC compiles the first prerequisite alone.
INIT := $(wildcard scripts/labvm/init/*.c)
$(B)/rootfs/bin/init: $(INIT) $(wildcard scripts/labvm/init/*.h scripts/labvm/*.h) $(MUSL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(STATIC) $(filter-out $<,$(INIT))

$(B)/labvm/tools: scripts/labvm/tools $(SYSROOT)
	$(call say,COPY,$@)
	$(Q)scripts/labvm/tools $@ $(SYSROOT)

# It runs on this machine, whatever the guest is.
$(B)/labvm/client: $(CLIENT) $(wildcard scripts/labvm/client/*.h scripts/labvm/*.h) $(B)/static
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(filter-out -MMD -MP $(CC) $(TARGET),$(COMPILE)) $(CLIENT) -o $@ $(STATICALLY)
