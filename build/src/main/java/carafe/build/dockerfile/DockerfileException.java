package carafe.build.dockerfile;

import carafe.spec.EngineException;

/// What is wrong with a Dockerfile, and on which lines.
public final class DockerfileException extends Exception {

    private final Span span;
    private final String sentence;

    /// `sentence` says what is wrong, without naming the line.
    public DockerfileException(Span span, String sentence) {
        super(sentence);
        this.span = span;
        this.sentence = sentence;
    }

    /// Where.
    public Span span() {
        return span;
    }

    /// What is wrong; never absent.
    @Override
    public String getMessage() {
        return sentence;
    }

    /// The same for whoever asked for the build: the sentence first, then the lines with a marker.
    public EngineException.Invalid in(Source source) {
        return new EngineException.Invalid("dockerfile parse error on line " + span.first() + ": " + sentence + "\n"
                + source.excerpt(span));
    }
}
