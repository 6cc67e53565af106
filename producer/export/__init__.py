"""The data set out: a campaign's pairs as parquet, tables, tar shards or folders of images, with a card."""
