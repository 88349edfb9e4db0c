//! One configuration in several variants.

use toml::de::DeValue;

use super::ConfigError;

/// The overrides that `path.to.field=[value, value]` stands for, one for each value, as [`load`](super::load) takes them.
///
/// # Errors
/// No path, or no TOML array with at least one value.
pub fn variants(argument: &str) -> Result<Vec<String>, ConfigError> {
    let refuse = |reason: String| ConfigError::Vary { argument: argument.to_owned(), reason };
    let Some((path, text)) = argument.split_once('=') else {
        return Err(refuse("there is no `=`".to_owned()));
    };
    let text = text.trim();
    let parsed = DeValue::parse(text)
        .map_err(|error| refuse(format!("the values are no TOML: {}", error.message())))?;
    let DeValue::Array(items) = parsed.get_ref() else {
        return Err(refuse("the values are no array".to_owned()));
    };
    if items.is_empty() {
        return Err(refuse("there is no value".to_owned()));
    }
    Ok(items.iter().map(|item| format!("{}={}", path.trim(), &text[item.span()])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_becomes_an_override() {
        let read = |text| variants(text).map_err(|error| error.to_string());
        assert_eq!(read("train.lr=[0.1, 1e-2]").unwrap(), ["train.lr=0.1", "train.lr=1e-2"]);
        assert_eq!(
            read("model.widths = [[8], [16, 16],]").unwrap(),
            ["model.widths=[8]", "model.widths=[16, 16]"]
        );
        assert_eq!(
            read("model={x = 1}").unwrap_err(),
            "`--vary model={x = 1}`: the values are no array; expected path.to.field=[value, value]"
        );
        for text in ["lr", "lr=", "lr=[", "lr=[]", "lr=0.1"] {
            assert!(read(text).unwrap_err().starts_with(&format!("`--vary {text}`: ")), "{text}");
        }
    }
}
