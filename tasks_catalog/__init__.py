"""What has to be done, as data: one folder a plan (the rows of the Appendix verbatim, the calendar
and the parties that Sở Nội vụ decided on top) and the agencies with their validity dates and
successors, with the schema and the loader that refuse a wrong catalog whole. It fills in the values
of `rules` and knows nothing of the database, Prefect or the clock.
"""
