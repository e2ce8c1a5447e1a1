package carafe.build.step;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.build.plan.Mount;
import carafe.build.plan.Operation;
import carafe.build.plan.Origin;
import carafe.build.tree.MountedTree;
import carafe.kernel.Descriptors;
import carafe.kernel.Linux;
import carafe.spec.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is known of a step's program and of the kernel's handlers, on a machine that is played.
class EmulatorsTest {

    private static final Platform HOST = Platform.of("linux", "amd64");
    private static final Platform ARM = Platform.of("linux", "arm64");
    private static final byte[] NATIVE = program(62);
    private static final byte[] FOREIGN = program(183);
    private static final String PATH = "PATH=/usr/local/bin:/bin";

    @TempDir
    Path directory;

    private Path root;
    private Path handlers;
    private Emulators emulators;

    @BeforeEach
    void prepare() throws IOException {
        root = Files.createDirectory(directory.resolve("root"));
        handlers = Files.createDirectory(directory.resolve("handlers"));
        Files.writeString(handlers.resolve("status"), "enabled\n");
        Files.writeString(handlers.resolve("register"), "");
        emulators = new Emulators(handlers, HOST);
        file("bin/sh", FOREIGN);
    }

    /// The header of a program, 64 bits with the low byte first.
    private static byte[] program(int machine) {
        byte[] header = new byte[64];
        System.arraycopy("\177ELF\2\1\1".getBytes(StandardCharsets.ISO_8859_1), 0, header, 0, 7);
        header[16] = 2;
        header[18] = (byte) machine;
        header[20] = 1;
        return header;
    }

    private Path file(String path, byte[] content) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.write(file, content);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void script(String path, String text) throws IOException {
        file(path, text.getBytes(StandardCharsets.UTF_8));
    }

    private void handler(String name, String flags, byte[] header) throws IOException {
        var magic = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            magic.append("%02x".formatted(header[i]));
        }
        Files.write(handlers.resolve(name), List.of("enabled", "interpreter /emu/" + name, "flags: " + flags, "offset 0",
                "magic " + magic, "mask " + "ff".repeat(20)));
    }

    private static Mount bind(String target) {
        return new Mount.Bind(target, new Origin.Context(), "", false);
    }

    private static Operation.Run run(String name, String path, List<Mount> mounts) {
        return new Operation.Run(List.of(name, "x"), List.of(path), List.of(), "/app", "", mounts, "default", "", false,
                Optional.empty());
    }

    private Optional<String> obstacle(Operation.Run run) throws IOException {
        try (var tree = MountedTree.adopt(Descriptors.open(root, Linux.O_PATH | Linux.O_DIRECTORY, 0))) {
            return emulators.obstacle(ARM, run, tree);
        }
    }

    private void refused(String name, Mount... mounts) throws IOException {
        assertThat(obstacle(run(name, PATH, List.of(mounts)))).hasValueSatisfying(sentence -> assertThat(sentence)
                .startsWith("cannot run " + name + " for linux/arm64 on this linux/amd64 machine: ")
                .contains("no emulator for arm64 is registered"));
    }

    private void runs(String name, Mount... mounts) throws IOException {
        assertThat(obstacle(run(name, PATH, List.of(mounts)))).isEmpty();
    }

    @Test
    void whatIsSurelyForeignIsRefusedAndWhatIsNativeRuns() throws IOException {
        refused("/bin/sh");
        refused("sh");
        script("app/script", "#! /bin/sh -e\n");
        refused("/app/script");
        refused("./script");
        script("app/twice", "#!script\n");
        refused("./twice");
        file("bin/native", NATIVE);
        runs("native");
        refused("/bin/sh", bind("/other"), bind("/bin/native"));
    }

    @Test
    void namesAreOfTheStepsDirectory() throws IOException {
        file("app/native", NATIVE);
        file("native", FOREIGN);
        runs("./native");
        file("app/own/sh", NATIVE);
        for (String path : List.of("PATH=own:/bin", "PATH=./own:/bin")) {
            assertThat(obstacle(run("sh", path, List.of()))).isEmpty();
        }
        file("app/sh", NATIVE);
        assertThat(obstacle(run("sh", "PATH=:/bin", List.of()))).isEmpty();
        assertThat(obstacle(run("sh", "PATH=/bin:", List.of()))).isPresent();
        Files.setPosixFilePermissions(root.resolve("app/sh"), PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(obstacle(run("sh", "PATH=:/bin", List.of()))).isPresent();
    }

    @Test
    void whatAMountBringsIsNotKnown() throws IOException {
        runs("/t/native", bind("/t"));
        runs("/bin/sh", bind("/bin"));
        runs("/bin/sh", bind("/bin/sh"));
        runs("sh", bind("/usr/local/bin"));
        Files.createSymbolicLink(root.resolve("link"), Path.of("bin"));
        runs("/link/sh", bind("/bin"));
        runs("/bin/sh", bind("/link"));
        Files.createDirectories(root.resolve("usr/local"));
        Files.createSymbolicLink(root.resolve("usr/local/bin"), Path.of("/t/bin"));
        runs("sh", bind("/t"));
        script("app/script", "#!/t/sh\n");
        runs("./script", bind("/t"));
        runs("sh", new Mount.Secret("/run/secrets/x", "x", Optional.of("PATH"), false, true, new Mount.Owner(0400, 0, 0)));
    }

    @Test
    void whatIsNotFoundOrCannotBeReadIsNotKnown() throws IOException {
        runs("/nowhere/sh");
        runs("nothing");
        runs("/bin/" + "x".repeat(300));
        runs("x".repeat(300));
        runs("/" + "x/".repeat(3000));
        file("bin/text", new byte[] {1, 2, 3});
        runs("text");
        script("bin/long", "#!/" + "./".repeat(150) + "bin/sh\n");
        runs("long");
        script("bin/longer", "#!/" + "./".repeat(90) + "bin/sh\n"); // more than 128 bytes, and within what the kernel reads
        refused("longer");
        Files.createSymbolicLink(root.resolve("bin/loop"), Path.of("loop"));
        runs("/bin/loop");
    }

    @Test
    void theScriptOfAHereDocumentIsRead() throws IOException {
        file("bin/native", NATIVE);
        for (String interpreter : List.of("/bin/native", "/bin/sh")) {
            var run = new Operation.Run(List.of("/dev/pipes/EOF"), List.of(PATH), List.of(), "/", "", List.of(), "default", "",
                    false, Optional.of(new Operation.Script("/dev/pipes/EOF", "#!" + interpreter + "\necho\n")));
            assertThat(obstacle(run).isEmpty()).isEqualTo(interpreter.equals("/bin/native"));
        }
    }

    @Test
    void anyHandlerThatWorksIsEnough() throws IOException {
        handler("a", "OC", FOREIGN);
        assertThat(obstacle(run("sh", PATH, List.of()))).hasValueSatisfying(sentence -> assertThat(sentence)
                .contains("its emulator /emu/a is looked for in the image, which does not have it, because a was registered in "
                        + handlers + " without the flag F"));
        runs("sh", bind("/emu"));
        handler("b", "OCF", FOREIGN);
        runs("sh");
        Files.delete(handlers.resolve("b"));
        file("emu/a", NATIVE);
        runs("sh");
    }

    @Test
    void handlersThatDoNotTakeTheProgramAreNone() throws IOException {
        Files.writeString(handlers.resolve("jar"), "enabled\ninterpreter /usr/bin/java\nflags: F\nextension .jar\n");
        Files.writeString(handlers.resolve("off"), "disabled\ninterpreter /usr/bin/q\nflags: F\noffset 0\nmagic 7f45\n");
        handler("riscv64", "F", program(243));
        refused("sh");
        file("bin/riscv", program(243));
        runs("riscv");
        file("bin/odd", program(80));
        assertThat(obstacle(run("odd", PATH, List.of())).orElse("")).contains("no emulator for ELF machine 80 is registered");
        Files.writeString(handlers.resolve("status"), "disabled\n");
        assertThat(obstacle(run("sh", PATH, List.of())).orElse(""))
                .contains("switched off; echo 1 > " + handlers.resolve("status"));
    }

    @Test
    void handlersThatGoMeanwhileAreNoneAndWhatCannotBeReadIsNotKnown() throws IOException {
        Files.createSymbolicLink(handlers.resolve("gone"), directory.resolve("nowhere"));
        refused("sh");
        Files.createDirectory(handlers.resolve("unreadable"));
        runs("sh");
    }

    @Test
    void whereHandlersAreNotSeenTheKernelIsAsked() throws IOException {
        Files.delete(handlers.resolve("status"));
        runs("sh");
        try (var tree = MountedTree.adopt(Descriptors.open(root, Linux.O_PATH | Linux.O_DIRECTORY, 0))) {
            assertThat(emulators.explanation(ARM, run("sh", PATH, List.of()), tree).orElse("")).isEqualTo("cannot run sh for "
                    + "linux/arm64 on this linux/amd64 machine: the kernel has no emulator for arm64; install one that registers "
                    + "itself (Debian: apt-get install qemu-user-static) and see what is registered with mount -t binfmt_misc "
                    + "binfmt_misc " + handlers + ", or do the step on this machine's platform: FROM --platform=$BUILDPLATFORM");
            assertThat(emulators.explanation(HOST, run("sh", PATH, List.of()), tree)).isEmpty();
        }
    }
}
