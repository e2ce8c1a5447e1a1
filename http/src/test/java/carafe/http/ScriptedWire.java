package carafe.http;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Random;

/// A peer that says what is in a script, cut at random, and then ends; what it is told is dropped.
final class ScriptedWire implements Wire {

    private final ByteBuffer script;
    private final Random random;

    ScriptedWire(byte[] script, Random random) {
        this.script = ByteBuffer.wrap(script);
        this.random = random;
    }

    @Override
    public int read(ByteBuffer into) {
        if (!script.hasRemaining()) {
            return -1;
        }
        int count = Math.min(into.remaining(), 1 + random.nextInt(script.remaining()));
        for (int i = 0; i < count; i++) {
            into.put(script.get());
        }
        return count;
    }

    @Override
    public void write(ByteBuffer from) {
        from.position(from.limit());
    }

    @Override
    public void write(ByteBuffer first, ByteBuffer second) {
        write(first);
        write(second);
    }

    @Override
    public void transfer(FileChannel file, long offset, long length) {}

    @Override
    public void shutdownOutput() {}

    @Override
    public boolean broken() {
        return false;
    }

    @Override
    public boolean tellsStale() {
        return true;
    }

    @Override
    public boolean stale() {
        return false;
    }

    @Override
    public boolean canHangUp() {
        return false;
    }

    @Override
    public boolean hungUp() {
        return false;
    }

    @Override
    public void close() {}
}
