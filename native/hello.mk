# The program of the image hello-world: freestanding, so that it stays at a few kilobytes.
all: target/hello

target/hello: hello.c
	@mkdir -p target
	gcc $(CFLAGS) -Os -static -nostdlib -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
	  -fno-tree-loop-distribute-patterns -Wl,--build-id=none,-z,noseparate-code,-z,noexecstack,-s -o $@ $<
