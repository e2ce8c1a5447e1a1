package carafe.build.step;

import carafe.build.plan.Operation;
import carafe.build.tree.FileSource;
import carafe.spec.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Whether this machine can run a program of another processor: the kernel hands it to an emulator that was registered for
/// such programs, or nobody does. The kernel's own word would only be "exec format error": what is known before the program
/// is started is said then, the rest once the kernel has said no.
/// Source: Documentation/admin-guide/binfmt-misc.rst; elf(5).
public final class Emulators {

    /// Where the kernel shows its handlers.
    public static final Path KERNEL = Path.of("/proc/sys/fs/binfmt_misc");

    private static final int MAX_HANDLER_BYTES = 16 << 10;
    static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

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

    /// What is known to be in the way of running `run`'s program for `platform` on the files in `root`: a sentence that says
    /// what to do. Nothing where it may run: handlers are at work whether they can be seen from here or not.
    Optional<String> obstacle(Platform platform, Operation.Run run, FileSource root) {
        var program = new ProgramLookup(run, root);
        if (!isForeign(platform, run) || !Files.exists(directory.resolve("status"))) {
            return Optional.empty();
        }
        return program.header().flatMap(header -> reason(platform, run, header, program));
    }

    /// Why the kernel did not take `run`'s program (ENOEXEC), as far as that has to do with its processor.
    Optional<String> explanation(Platform platform, Operation.Run run, FileSource root) {
        if (!isForeign(platform, run)) {
            return Optional.empty();
        }
        var program = new ProgramLookup(run, root);
        return reason(platform, run, program.header().orElseGet(() -> sample(machine(platform).orElseThrow())), program);
    }

    private boolean isForeign(Platform platform, Operation.Run run) {
        return !platform.runsOn(host) && machine(platform).isPresent() && !run.arguments().isEmpty();
    }

    private static Optional<Machine> machine(Platform platform) {
        return Optional.ofNullable(MACHINES.get(platform.architecture()));
    }

    private Optional<String> reason(Platform platform, Operation.Run run, byte[] header, ProgramLookup program) {
        if (isNative(header)) {
            return Optional.empty();
        }
        String what = "cannot run " + run.arguments().getFirst() + " for " + platform + " on this " + host + " machine: ";
        String install = "install one that registers itself (Debian: apt-get install qemu-user-static)";
        String instead = ", or do the step on this machine's platform: FROM --platform=$BUILDPLATFORM";
        Path status = directory.resolve("status");
        if (!Files.exists(status)) {
            return Optional.of(what + "the kernel has no emulator for " + architecture(header) + "; " + install + " and see"
                    + " what is registered with mount -t binfmt_misc binfmt_misc " + directory + instead);
        }
        try {
            if (text(status).strip().equals("disabled")) {
                return Optional.of(what + "the kernel's handlers for programs of other processors are switched off; echo 1 > "
                        + status + instead);
            }
            var handlers = handlers(header);
            if (handlers.isEmpty()) {
                return Optional.of(what + "no emulator for " + architecture(header) + " is registered with the kernel in "
                        + directory + "; " + install + instead);
            }
            if (handlers.stream().anyMatch(each -> each.fixed || program.mayHave(each.interpreter))) {
                return Optional.empty();
            }
            var found = handlers.getFirst();
            return Optional.of(what + "its emulator " + found.interpreter + " is looked for in the image, which does not have"
                    + " it, because " + found.name + " was registered in " + directory + " without the flag F; register it"
                    + " with that flag, or copy the emulator into the image" + instead);
        } catch (IOException e) {
            return Optional.empty(); // what is registered is not known
        }
    }

    /// The processor that a program is for.
    private static String architecture(byte[] header) {
        return MACHINES.entrySet().stream().filter(each -> Arrays.equals(kind(sample(each.getValue())), kind(header)))
                .map(Map.Entry::getKey).findFirst().orElseGet(() -> {
                    int first = header[18] & 0xff;
                    int second = header[19] & 0xff;
                    return "ELF machine " + (header[5] == 2 ? first << 8 | second : second << 8 | first);
                });
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
        var header = Arrays.copyOf(ELF, ProgramLookup.HEADER_BYTES);
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

    /// The handlers that take a program.
    private List<Handler> handlers(byte[] header) throws IOException {
        var all = new ArrayList<Handler>();
        try (var entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = String.valueOf(entry.getFileName());
                if (!name.equals("status") && !name.equals("register")) {
                    try {
                        read(name, text(entry)).filter(handler -> handler.takes(header)).ifPresent(all::add);
                    } catch (NoSuchFileException e) {
                        continue; // taken away since it was listed
                    }
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        all.sort(Comparator.comparing(Handler::name));
        return all;
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
                case "offset" -> offset = value.matches("\\d{1,3}") ? Integer.parseInt(value) : ProgramLookup.HEADER_BYTES;
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
