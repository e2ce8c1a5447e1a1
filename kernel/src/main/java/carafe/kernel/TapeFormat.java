package carafe.kernel;

/// The numbers of `native/tape.h`; a test compares them with what the C compiler says.
final class TapeFormat {

    static final int MAX_ARGS = 6;
    static final int MAX_TOLERATED = 8;
    static final int MAX_STEPS = 1024;
    static final int MAX_SLOTS = 240;
    static final int MAX_NAME = 200;

    private TapeFormat() {}
}
