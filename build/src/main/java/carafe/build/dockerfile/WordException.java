package carafe.build.dockerfile;

/// What is wrong with a word: an open quote, a substitution that is none. The caller knows the line.
public final class WordException extends Exception {

    private final String sentence;

    WordException(String sentence) {
        super(sentence);
        this.sentence = sentence;
    }

    @Override
    public String getMessage() {
        return sentence;
    }
}
