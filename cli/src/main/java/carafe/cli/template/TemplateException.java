package carafe.cli.template;

/// A template that cannot be read or that fails on its data; the message is worded and placed as Go words it.
public final class TemplateException extends Exception {

    private static final long serialVersionUID = 1;

    public TemplateException(String message) {
        super(message);
    }
}
