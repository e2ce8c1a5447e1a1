package carafe.build.step;

import carafe.build.tree.FileSource;
import carafe.build.tree.Node;
import carafe.spec.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Whether this machine can run a program of another processor: the kernel hands it to an emulator that was registered for
/// such programs, or nobody does. Looked up before the program is started, since the kernel's own word would only be
/// "exec format error".
/// Source: Documentation/admin-guide/binfmt-misc.rst; elf(5).
public final class Emulators {

    /// Where the kernel shows its handlers.
    public static final Path KERNEL = Path.of("/proc/sys/fs/binfmt_misc");

    private static final int HEADER_BYTES = 128;
    private static final int MAX_HANDLER_BYTES = 16 << 10;
    private static final int MAX_SCRIPTS = 4;
    private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

    /// What a processor's programs say of themselves: 32 or 64 bits, byte order, machine.
    private record Machine(int bits, boolean little, int number) {}

    private static final Map<String, Machine> MACHINES = Map.ofEntries(
            Map.entry("386", new Machine(32, true, 3)),
            Map.entry("amd64", new Machine(64, true, 62)),
            Map.entry("arm", new Machine(32, true, 40)),
            Map.entry("arm64", new Machine(64, true, 183)),
            Map.entry("loong64", new Machine(64, true, 258)),
            Map.entry("mips", new Machine(32, false, 8)),
            Map.entry("mipsle", new Machine(32, true, 8)),
            Map.entry("mips64", new Machine(64, false, 8)),
            Map.entry("mips64le", new Machine(64, true, 8)),
            Map.entry("ppc64", new Machine(64, false, 21)),
            Map.entry("ppc64le", new Machine(64, true, 21)),
            Map.entry("riscv64", new Machine(64, true, 243)),
            Map.entry("s390x", new Machine(64, false, 22)));

    /// What else the processors of a machine run.
    private static final Map<String, List<String>> FAMILIES = Map.of("amd64", List.of("386"), "arm64", List.of("arm"));

    /// One registration: programs whose bytes at `offset` are `magic` under `mask` go to `interpreter`, which was opened
    /// when it was registered (`fixed`) or is opened where the program runs.
    private record Handler(String name, String interpreter, boolean fixed, int offset, byte[] magic, byte[] mask) {

        boolean takes(byte[] header) {
            if (offset + magic.length > header.length) {
                return false;
            }
            for (int i = 0; i < magic.length; i++) {
                if (((header[offset + i] ^ magic[i]) & mask[i]) != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    private final Path directory;
    private final Platform host;

    /// Looks at the handlers in `directory` on a machine that is `host`.
    public Emulators(Path directory, Platform host) {
        this.directory = directory;
        this.host = host;
    }

    /// What is in the way of running `arguments`, found along `environment`'s PATH, for `platform` in `root`: a sentence
    /// that says what to do; nothing when it can run, as far as can be known.
    Optional<String> obstacle(Platform platform, List<String> arguments, List<String> environment, FileSource root)
            throws IOException {
        var machine = MACHINES.get(platform.architecture());
        if (platform.runsOn(host) || machine == null || arguments.isEmpty()) {
            return Optional.empty();
        }
        byte[] header = header(arguments.getFirst(), environment, root).orElseGet(() -> sample(machine));
        if (isNative(header)) {
            return Optional.empty();
        }
        String what = "cannot run " + arguments.getFirst() + " for " + platform + " on this " + host + " machine: ";
        String instead = ", or do the step on this machine's platform: FROM --platform=$BUILDPLATFORM";
        if (!Files.exists(directory.resolve("status"))) {
            return Optional.of(what + "the kernel's handlers for programs of other processors are not to be seen, binfmt_misc"
                    + " is not mounted; mount -t binfmt_misc binfmt_misc " + directory + ", and install an emulator that"
                    + " registers itself there (Debian: apt-get install qemu-user-static)" + instead);
        }
        if (text(directory.resolve("status")).strip().equals("disabled")) {
            return Optional.of(what + "the kernel's handlers for programs of other processors are switched off; echo 1 > "
                    + directory.resolve("status") + instead);
        }
        var handler = handler(header);
        if (handler.isEmpty()) {
            return Optional.of(what + "no emulator for " + platform.architecture() + " is registered with the kernel in "
                    + directory + "; install one that registers itself (Debian: apt-get install qemu-user-static)" + instead);
        }
        var found = handler.get();
        if (found.fixed || root.follow(found.interpreter.substring(1)).isPresent()) {
            return Optional.empty();
        }
        return Optional.of(what + "its emulator " + found.interpreter + " is looked for in the image, which does not have it,"
                + " because " + found.name + " was registered in " + directory + " without the flag F; register it with"
                + " that flag, or copy the emulator into the image" + instead);
    }

    private boolean isNative(byte[] header) {
        return MACHINES.entrySet().stream().filter(each -> each.getKey().equals(host.architecture())
                        || FAMILIES.getOrDefault(host.architecture(), List.of()).contains(each.getKey()))
                .anyMatch(each -> Arrays.equals(kind(sample(each.getValue())), kind(header)));
    }

    /// Of a program's first bytes those that tell its machine.
    private static byte[] kind(byte[] header) {
        return new byte[] {header[4], header[5], header[18], header[19]};
    }

    /// How a program for `machine` begins, as linkers write it.
    private static byte[] sample(Machine machine) {
        var header = Arrays.copyOf(ELF, HEADER_BYTES);
        header[4] = (byte) (machine.bits == 64 ? 2 : 1);
        header[5] = (byte) (machine.little ? 1 : 2);
        header[6] = 1;
        int low = machine.little ? 0 : 1;
        header[16 + low] = 2; // ET_EXEC
        header[18 + low] = (byte) machine.number;
        header[19 - low] = (byte) (machine.number >> 8);
        header[machine.little ? 20 : 23] = 1;
        return header;
    }

    /// The first bytes of the program that a name means in `root`, behind its `#!` if it is a script; none when it is not
    /// there or no ELF program.
    private static Optional<byte[]> header(String name, List<String> environment, FileSource root) throws IOException {
        String program = name;
        for (int i = 0; i <= MAX_SCRIPTS; i++) {
            var file = file(program, environment, root);
            if (file.isEmpty()) {
                return Optional.empty();
            }
            byte[] read;
            try (var in = root.open(file.get())) {
                read = in.readNBytes(HEADER_BYTES);
            }
            if (read.length >= 20 && Arrays.equals(Arrays.copyOf(read, ELF.length), ELF)) {
                return Optional.of(Arrays.copyOf(read, HEADER_BYTES));
            }
            String line = new String(read, StandardCharsets.UTF_8).lines().findFirst().orElse("");
            if (!line.startsWith("#!") || line.substring(2).isBlank()) {
                return Optional.empty();
            }
            program = line.substring(2).strip().split("\\s+")[0];
        }
        return Optional.empty();
    }

    private static Optional<Node> file(String program, List<String> environment, FileSource root) throws IOException {
        if (program.contains("/")) {
            return regular(program, root);
        }
        String path = environment.stream().filter(entry -> entry.startsWith("PATH=")).reduce((_, last) -> last)
                .map(entry -> entry.substring(5)).orElse("");
        for (String directory : path.split(":")) {
            var found = regular(directory + "/" + program, root);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private static Optional<Node> regular(String path, FileSource root) throws IOException {
        return path.startsWith("/") ? root.follow(path.substring(1)).filter(node -> node.type() == Node.Type.FILE)
                : Optional.empty();
    }

    private Optional<Handler> handler(byte[] header) throws IOException {
        try (var entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = String.valueOf(entry.getFileName());
                if (!name.equals("status") && !name.equals("register")) {
                    var handler = read(name, text(entry));
                    if (handler.isPresent() && handler.get().takes(header)) {
                        return handler;
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static String text(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return new String(in.readNBytes(MAX_HANDLER_BYTES), StandardCharsets.UTF_8);
        }
    }

    /// A handler as the kernel writes it; none when it is switched off, or goes by names of files.
    private static Optional<Handler> read(String name, String text) {
        String interpreter = "";
        String flags = "";
        String magic = "";
        String mask = "";
        int offset = 0;
        boolean enabled = false;
        for (String line : text.lines().toList()) {
            int space = line.indexOf(' ');
            String value = space < 0 ? "" : line.substring(space + 1).strip();
            switch (space < 0 ? line.strip() : line.substring(0, space)) {
                case "enabled" -> enabled = true;
                case "interpreter" -> interpreter = value;
                case "flags:" -> flags = value;
                case "offset" -> offset = value.matches("\\d{1,3}") ? Integer.parseInt(value) : HEADER_BYTES;
                case "magic" -> magic = value;
                case "mask" -> mask = value;
                default -> { }
            }
        }
        boolean bytes = magic.matches("([0-9a-f]{2})+") && (mask.isEmpty() || mask.length() == magic.length()
                && mask.matches("[0-9a-f]+"));
        if (!enabled || !bytes || !interpreter.startsWith("/")) {
            return Optional.empty();
        }
        byte[] wanted = HexFormat.of().parseHex(magic);
        byte[] counted = HexFormat.of().parseHex(mask.isEmpty() ? "ff".repeat(wanted.length) : mask);
        return Optional.of(new Handler(name, interpreter, flags.contains("F"), offset, wanted, counted));
    }
}
