package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// A [Launch] as `native/tape.h` has it: header, steps, relocations, clients, data. Made in one go; knows nothing of
/// descriptors but their order.
final class TapeBlob {

    /// The finished blob, and the slots whose descriptors go with it, in this order.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Encoded(byte[] bytes, List<Slot> passed) {}

    /// One step's arguments as numbers; pointers count from the start of the data.
    private record Row(Step step, byte[] kinds, long[] args) {}

    /// A place in the data and what goes there, both counted from the start of the data.
    private record Relocation(int at, int kind, int value) {}

    private final Launch launch;
    private final Map<Slot, Integer> numbers = new LinkedHashMap<>();
    private final int passedCount;
    private final List<Relocation> relocations = new ArrayList<>();
    private final Map<String, Integer> texts = new HashMap<>();
    private byte[] data = new byte[4096];
    private int used;

    private TapeBlob(Launch launch) {
        this.launch = launch;
        var passed = launch.tape().passed();
        passed.addAll(launch.monitor().slots());
        Consumer<Slot> filled = passed::remove;
        for (var step : launch.tape().steps()) { // what the process fills, the monitor never sees
            if (step.part() == Part.MONITOR) {
                step.outcome().result().ifPresent(filled);
            }
        }
        if (!launch.descriptors().keySet().containsAll(passed)) {
            passed.removeAll(launch.descriptors().keySet());
            throw new IllegalArgumentException("no descriptor for " + passed);
        }
        passed.forEach(this::number);
        passedCount = numbers.size();
        Consumer<Slot> numbered = this::number;
        launch.tape().steps().forEach(step -> step.outcome().result().ifPresent(numbered));
        if (numbers.size() > TapeFormat.MAX_SLOTS) {
            throw new IllegalArgumentException("a tape has at most " + TapeFormat.MAX_SLOTS + " slots");
        }
    }

    /// @throws IllegalArgumentException the tape is larger than a player takes, or a descriptor is missing
    static Encoded encode(Launch launch) {
        var blob = new TapeBlob(launch);
        var rows = new ArrayList<Row>(launch.tape().steps().size());
        for (var step : launch.tape().steps()) {
            rows.add(blob.row(step));
        }
        byte[] bytes = blob.assemble(rows);
        return new Encoded(bytes, List.copyOf(blob.numbers.keySet()).subList(0, blob.passedCount));
    }

    private int number(Slot slot) {
        var known = numbers.putIfAbsent(slot, numbers.size());
        return known == null ? numbers.size() - 1 : known;
    }

    // ---- data ----

    private int reserve(int bytes, int alignment) {
        int at = (used + alignment - 1) & -alignment;
        if (at + bytes > TapeFormat.MAX_BYTES / 2) {
            throw new IllegalArgumentException("arguments and environment are too long");
        }
        if (at + bytes > data.length) {
            data = Arrays.copyOf(data, Math.max(data.length * 2, at + bytes));
        }
        used = at + bytes;
        return at;
    }

    private int bytes(byte[] value, int alignment) {
        int at = reserve(value.length + 1, alignment); // with a NUL behind, whatever it is
        System.arraycopy(value, 0, data, at, value.length);
        return at;
    }

    private int text(String value) {
        var known = texts.get(value);
        if (known != null) {
            return known;
        }
        int at = bytes(NativeText.encode(value), 1);
        texts.put(value, at);
        return at;
    }

    private int strings(List<String> values) {
        int array = reserve((values.size() + 1) * Long.BYTES, Long.BYTES);
        int entry = array;
        for (var value : values) {
            relocations.add(new Relocation(entry, TapeFormat.RELOC_POINTER, bytes(NativeText.encode(value), 1)));
            entry += Long.BYTES;
        }
        return array;
    }

    private int struct(Arg.Struct struct) {
        int size = 0;
        for (var field : struct.fields()) {
            size += width(field);
        }
        int start = reserve(size + 1, Long.BYTES);
        int at = start;
        for (var field : struct.fields()) {
            switch (field) {
                case Arg.Field.Fixed(int width, long value) -> {
                    for (int i = 0; i < width; i++) {
                        data[at + i] = (byte) (value >>> 8 * i);
                    }
                }
                case Arg.Field.Pointer(Arg target) ->
                    relocations.add(new Relocation(at, TapeFormat.RELOC_POINTER, point(target)));
                case Arg.Field.Descriptor(Slot slot) ->
                    relocations.add(new Relocation(at, TapeFormat.RELOC_SLOT, number(slot)));
            }
            at += width(field);
        }
        return start;
    }

    private static int width(Arg.Field field) {
        return switch (field) {
            case Arg.Field.Fixed fixed -> fixed.bytes();
            case Arg.Field.Pointer _ -> Long.BYTES;
            case Arg.Field.Descriptor _ -> Integer.BYTES;
        };
    }

    private int point(Arg arg) {
        return switch (arg) {
            case Arg.Text(String value) -> text(value);
            case Arg.Bytes(byte[] value, String _) -> bytes(value, Long.BYTES);
            case Arg.Strings(List<String> values) -> strings(values);
            case Arg.Struct struct -> struct(struct);
            case Arg.Number _, Arg.Ref _ -> throw new IllegalArgumentException("nothing to point to: " + arg);
        };
    }

    private Row row(Step step) {
        var kinds = new byte[TapeFormat.MAX_ARGS];
        var args = new long[TapeFormat.MAX_ARGS];
        for (int i = 0; i < step.args().size(); i++) { // no switch: see Tape
            var arg = step.args().get(i);
            if (arg instanceof Arg.Number number) {
                args[i] = number.value();
            } else if (arg instanceof Arg.Ref ref) {
                kinds[i] = TapeFormat.ARG_SLOT;
                args[i] = number(ref.slot());
            } else {
                kinds[i] = TapeFormat.ARG_POINTER;
                args[i] = arg instanceof Arg.Text text ? text(text.value()) : point(arg);
            }
        }
        return new Row(step, kinds, args);
    }

    // ---- the whole ----

    private byte[] assemble(List<Row> rows) {
        var plan = launch.monitor();
        byte[] words = NativeText.encode(plan.title());
        int title = bytes(Arrays.copyOf(words, Math.min(words.length, TapeFormat.MAX_NAME)), 1);
        int logName = plan.log().map(log -> text(log.name())).orElse(TapeFormat.NONE);
        int exitName = plan.exit().map(exit -> text(exit.name())).orElse(TapeFormat.NONE);
        int steps = TapeFormat.HEADER_BYTES;
        int relocs = steps + rows.size() * TapeFormat.STEP_BYTES;
        int clients = relocs + relocations.size() * TapeFormat.RELOC_BYTES;
        int base = clients + plan.door().clients().size() * TapeFormat.CLIENT_BYTES;
        int total = base + used + 1;
        if (total > TapeFormat.MAX_BYTES || relocations.size() > TapeFormat.MAX_RELOCS) {
            throw new IllegalArgumentException("arguments and environment are too long");
        }
        var out = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(TapeFormat.HEADER_STEPS_OFFSET, steps)
                .putInt(TapeFormat.HEADER_RELOCS_OFFSET, relocs)
                .putInt(TapeFormat.HEADER_RELOC_COUNT, relocations.size())
                .putInt(TapeFormat.HEADER_DATA_OFFSET, base)
                .putInt(TapeFormat.HEADER_TOTAL_BYTES, total);
        putHeader(out);
        putPlan(out, clients);
        out.putInt(TapeFormat.HEADER_PLAN + TapeFormat.PLAN_TITLE, base + title);
        out.putInt(TapeFormat.HEADER_PLAN + TapeFormat.PLAN_LOG_NAME, logName < 0 ? logName : base + logName);
        out.putInt(TapeFormat.HEADER_PLAN + TapeFormat.PLAN_EXIT_NAME, exitName < 0 ? exitName : base + exitName);
        for (var row : rows) {
            putStep(out, steps, base, row);
            steps += TapeFormat.STEP_BYTES;
        }
        for (var relocation : relocations) {
            boolean pointer = relocation.kind == TapeFormat.RELOC_POINTER;
            out.putInt(relocs + TapeFormat.RELOC_AT, base + relocation.at)
                    .putInt(relocs + TapeFormat.RELOC_KIND, relocation.kind)
                    .putInt(relocs + TapeFormat.RELOC_VALUE, pointer ? base + relocation.value : relocation.value);
            relocs += TapeFormat.RELOC_BYTES;
        }
        out.put(base, data, 0, used);
        return out.array();
    }

    private void putHeader(ByteBuffer out) {
        var tape = launch.tape();
        int monitorSteps = 0;
        while (monitorSteps < tape.steps().size() && tape.steps().get(monitorSteps).part() == Part.MONITOR) {
            monitorSteps++;
        }
        long arch = Machine.THIS == Machine.AMD64 ? Linux.AUDIT_ARCH_X86_64 : Linux.AUDIT_ARCH_AARCH64;
        out.putInt(TapeFormat.HEADER_MAGIC, TapeFormat.MAGIC)
                .putInt(TapeFormat.HEADER_VERSION, TapeFormat.VERSION)
                .putInt(TapeFormat.HEADER_ARCH, (int) arch)
                .putLong(TapeFormat.HEADER_CLONE_FLAGS, tape.cloneFlags())
                .putInt(TapeFormat.HEADER_CGROUP_SLOT, slot(tape.cgroup()))
                .putInt(TapeFormat.HEADER_USER_SLOT, slot(tape.birthplace().map(Tape.Birthplace::users)))
                .putInt(TapeFormat.HEADER_PID_SLOT, slot(tape.birthplace().flatMap(Tape.Birthplace::processes)))
                .putInt(TapeFormat.HEADER_SLOT_COUNT, numbers.size())
                .putInt(TapeFormat.HEADER_PASSED_COUNT, passedCount)
                .putInt(TapeFormat.HEADER_ANNOUNCE, launch.rendezvous().isPresent() ? 1 : 0)
                .putInt(TapeFormat.HEADER_MONITOR_STEPS, monitorSteps)
                .putInt(TapeFormat.HEADER_CHILD_STEPS, tape.steps().size() - monitorSteps);
        var kept = new LinkedHashSet<>(tape.kept());
        kept.addAll(launch.monitor().slots());
        for (var slot : kept) {
            int at = TapeFormat.HEADER_KEEP + number(slot) / 64 * Long.BYTES;
            out.putLong(at, out.getLong(at) | 1L << number(slot) % 64);
        }
    }

    private void putPlan(ByteBuffer out, int clientsOffset) {
        var plan = launch.monitor();
        int flags;
        Optional<Slot> stdin;
        Optional<Slot> stdout;
        Optional<Slot> stderr;
        switch (plan.stdio()) {
            case MonitorPlan.Pipes pipes -> {
                flags = pipes.once() ? TapeFormat.PLAN_STDIN_ONCE : 0;
                stdin = pipes.stdin();
                stdout = pipes.stdout();
                stderr = pipes.stderr();
            }
            case MonitorPlan.Terminal terminal -> {
                flags = TapeFormat.PLAN_TERMINAL;
                stdin = terminal.input() ? Optional.of(terminal.master()) : Optional.empty();
                stdout = Optional.of(terminal.master());
                stderr = Optional.empty();
            }
        }
        int at = TapeFormat.HEADER_PLAN;
        out.putInt(at + TapeFormat.PLAN_FLAGS, flags)
                .putInt(at + TapeFormat.PLAN_STDIN_SLOT, slot(stdin))
                .putInt(at + TapeFormat.PLAN_STDOUT_SLOT, slot(stdout))
                .putInt(at + TapeFormat.PLAN_STDERR_SLOT, slot(stderr))
                .putInt(at + TapeFormat.PLAN_LISTENER_SLOT, slot(plan.door().listener()))
                .putInt(at + TapeFormat.PLAN_CLIENTS_OFFSET, clientsOffset)
                .putInt(at + TapeFormat.PLAN_CLIENT_COUNT, plan.door().clients().size())
                .putInt(at + TapeFormat.PLAN_LOG_SLOT, slot(plan.log().map(MonitorPlan.Log::directory)))
                .putInt(at + TapeFormat.PLAN_LOG_FILES, plan.log().map(MonitorPlan.Log::maxFiles).orElse(0))
                .putLong(at + TapeFormat.PLAN_LOG_BYTES, plan.log().map(MonitorPlan.Log::maxBytes).orElse(0L))
                .putInt(at + TapeFormat.PLAN_EXIT_SLOT, slot(plan.exit().map(MonitorPlan.Exit::directory)));
        for (var client : plan.door().clients()) {
            out.putInt(clientsOffset + TapeFormat.CLIENT_SLOT, number(client.socket()))
                    .putInt(clientsOffset + TapeFormat.CLIENT_STREAMS, MonitorStream.bits(client.streams()));
            clientsOffset += TapeFormat.CLIENT_BYTES;
        }
    }

    private int slot(Optional<Slot> slot) {
        return slot.isPresent() ? number(slot.get()) : TapeFormat.NONE;
    }

    private void putStep(ByteBuffer out, int at, int base, Row row) {
        var outcome = row.step.outcome();
        int flags = (outcome.orNext() ? TapeFormat.STEP_OR_NEXT : 0)
                | (outcome.exactly().isPresent() ? TapeFormat.STEP_EXACTLY : 0);
        out.putInt(at + TapeFormat.STEP_CALL, row.step.call().number())
                .putInt(at + TapeFormat.STEP_FLAGS, flags)
                .putInt(at + TapeFormat.STEP_RESULT, slot(outcome.result()))
                .put(at + TapeFormat.STEP_KINDS, row.kinds)
                .put(at + TapeFormat.STEP_TOLERATED_COUNT, (byte) outcome.tolerated().size())
                .putLong(at + TapeFormat.STEP_EXACT, outcome.exactly().orElse(0));
        int next = at + TapeFormat.STEP_TOLERATED;
        for (int errno : outcome.tolerated()) {
            out.putShort(next, (short) errno);
            next += Short.BYTES;
        }
        for (int i = 0; i < row.args.length; i++) {
            boolean pointer = row.kinds[i] == TapeFormat.ARG_POINTER;
            out.putLong(at + TapeFormat.STEP_ARGS + i * Long.BYTES, pointer ? base + row.args[i] : row.args[i]);
        }
    }
}
