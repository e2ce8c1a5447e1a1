package carafe.kernel;

import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// One run of DEFLATE backwards, without a frame around it (RFC 1951). Belongs to one thread.
interface Inflation extends AutoCloseable {

    /// Gives the next bytes, when all before are used up; they stay as they are until [#output] answers 0.
    void input(byte[] from, int offset, int length);

    /// What comes out of the input so far.
    /// @return 0 when input is missing or the end is reached
    /// @throws DataFormatException the bytes are not DEFLATE's
    int output(byte[] to, int offset, int length) throws DataFormatException;

    /// The last block was read to its end, and all of it came out.
    boolean finished();

    /// How many of the bytes given last lie behind the last block; only once it is finished. At most eight of them
    /// may come from an input before.
    int unused();

    /// Begins anew.
    void reset();

    @Override
    void close();

    /// zlib's, as the JDK has it.
    final class Jdk implements Inflation {
        private final Inflater inflater = new Inflater(true);

        @Override
        public void input(byte[] from, int offset, int length) {
            inflater.setInput(from, offset, length);
        }

        @Override
        public int output(byte[] to, int offset, int length) throws DataFormatException {
            int count = inflater.inflate(to, offset, length);
            if (count == 0 && inflater.needsDictionary()) {
                throw new DataFormatException("a dictionary is asked for");
            }
            return count;
        }

        @Override
        public boolean finished() {
            return inflater.finished();
        }

        @Override
        public int unused() {
            return inflater.getRemaining();
        }

        @Override
        public void reset() {
            inflater.reset();
        }

        @Override
        public void close() {
            inflater.end();
        }
    }
}
