"""The pages for the three kinds of user, made with FastAPI: agencies, Sở Nội vụ and auditors. A page
reads named queries and posts to operations; it holds no rule of its own and does not know the
flows.
"""
